-- check_sums(key, number, entry): entry = expiry, fields, amounts. A sum of zero leaves no field.
local function check_sums(key, number, entry)
  local fields, amounts, totals, zeros = entry[2], entry[3], {}, {}
  local stored, held = redis.pcall('HMGET', key, unpack(fields)), 0
  if is_error(stored) then refuse('sums', number) return nothing end
  for f = 1, #fields do
    local total = fits(stored[f], amounts[f])
    if not total then refuse('sums', number) return nothing end
    if total == 0 then zeros[#zeros + 1] = fields[f]
    else totals[held + 1], totals[held + 2], held = fields[f], total, held + 2 end
  end
  return function()
    if #totals > 0 then redis.call('HSET', key, unpack(totals)) end
    if #zeros > 0 then redis.call('HDEL', key, unpack(zeros)) end
    expire(key, entry[1])
  end
end
