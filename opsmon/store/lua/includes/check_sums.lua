-- check_sums(key, number, entry): entry = expiry, fields, amounts. A sum of zero leaves no field.
local function check_sums(key, number, entry)
  local fields, amounts, totals, zeros = entry[2], entry[3], {}, {}
  local stored = redis.pcall('HMGET', key, unpack(fields))
  for f, field in ipairs(fields) do
    local total = not is_error(stored) and fits(stored[f], amounts[f])
    if not total then refuse('sums', number) return nothing end
    if total == 0 then zeros[#zeros + 1] = field
    else totals[#totals + 1] = field totals[#totals + 1] = total end
  end
  return function()
    if #totals > 0 then redis.call('HSET', key, unpack(totals)) end
    if #zeros > 0 then redis.call('HDEL', key, unpack(zeros)) end
    expire(key, entry[1])
  end
end
