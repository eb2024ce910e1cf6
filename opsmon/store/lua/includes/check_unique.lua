-- check_unique(key, number, entry): entry = expiry, members: seen, in a HyperLogLog.
local function check_unique(key, number, entry)
  if is_error(redis.pcall('PFCOUNT', key)) then refuse('unique', number) end
  return function()
    redis.call('PFADD', key, unpack(entry[2]))
    expire(key, entry[1])
  end
end
