-- check_scores(key, number, entry): entry = expiry, members, amounts, cap, name of the rest.
-- A member that is not there when the cap is reached counts among the rest; a score of zero leaves no member.
local function check_scores(key, number, entry)
  local held, amounts = redis.pcall('ZCARD', key), {}
  if is_error(held) then refuse('scores', number) return nothing end
  local room = entry[4] - held
  for m, member in ipairs(entry[2]) do
    local score = redis.call('ZSCORE', key, member)
    if not score and room <= 0 then member = entry[5] score = redis.call('ZSCORE', key, member)
    elseif not score then room = room - 1 end
    amounts[member] = (amounts[member] or 0) + entry[3][m]
    if math.abs((tonumber(score) or 0) + amounts[member]) >= 9007199254740992 then refuse('scores', number) end
  end
  return function()
    for member, amount in pairs(amounts) do
      if tonumber(redis.call('ZINCRBY', key, amount, member)) == 0 then redis.call('ZREM', key, member) end
    end
    expire(key, entry[1])
  end
end
