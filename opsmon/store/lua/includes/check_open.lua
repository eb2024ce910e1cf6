-- check_open(key, number, entry): entry = members, since when (or until when) each is open, '' for not at all.
local function check_open(key, number, entry)
  if is_error(redis.pcall('ZCARD', key)) then refuse('open', number) end
  return function()
    for m, member in ipairs(entry[1]) do
      if entry[2][m] == '' then redis.call('ZREM', key, member) else redis.call('ZADD', key, entry[2][m], member) end
    end
  end
end
