-- check_rows(key, number, entry): entry = rows, cap: admitted to a dimension, all of them or none.
local function check_rows(key, number, entry)
  local rows, new = entry[1], 0
  local held = redis.pcall('SMISMEMBER', key, unpack(rows))
  if is_error(held) then refuse('rows', number) return nothing end
  for r = 1, #rows do new = new + 1 - held[r] end
  if new > 0 and redis.call('SCARD', key) + new > entry[2] then refuse('rows', number) end
  return function() if new > 0 then redis.call('SADD', key, unpack(rows)) end end
end
