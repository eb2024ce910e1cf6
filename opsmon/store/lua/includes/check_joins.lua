-- better(operator, first, second, old_first, old_second): whether a pair wins over the stored one.
local function better(operator, first, second, old_first, old_second)
  if first ~= old_first then
    if operator == 'min' then return first < old_first end
    return first > old_first
  end
  return operator ~= 'min' and second > old_second
end

-- check_joins(key, number, entry): entry = expiry, fields, operators ('min' or 'max'), firsts, seconds. The larger (or smaller)
-- pair wins: by first, and where that is equal by second. Stored as 'first:second'.
local function check_joins(key, number, entry)
  local fields, won = entry[2], {}
  local stored = redis.pcall('HMGET', key, unpack(fields))
  for f, field in ipairs(fields) do
    local first, second, old_first, old_second = entry[4][f], entry[5][f], nil, nil
    if not is_error(stored) and stored[f] then
      old_first, old_second = string.match(stored[f], '^(%-?%d+):(%-?%d+)$')
    end
    if is_error(stored) or (stored[f] and not old_first) then refuse('joins', number) return nothing end
    if not old_first or better(entry[3][f], first, second, tonumber(old_first), tonumber(old_second)) then
      won[#won + 1] = field
      won[#won + 1] = string.format('%.0f:%.0f', first, second)
    end
  end
  return function()
    if #won > 0 then redis.call('HSET', key, unpack(won)) end
    expire(key, entry[1])
  end
end
