-- check_corrected(key, _, entry, begun): entry = instant of the commit, life of a mark in ms, how many are kept,
-- starts of hours that were over before their last events came. Hours from before the first commit of all (begun) were
-- never shown as they happened: filling them in corrects nothing. A key of another type is left alone: marks are not
-- worth stopping for.
local function check_corrected(key, _, entry, begun)
  local now_ms, life_ms, most, marks = entry[1], entry[2], entry[3], {}
  if not begun or is_error(redis.pcall('ZCARD', key)) then return nothing end
  for _, start in ipairs(entry[4]) do
    if start >= begun then marks[#marks + 1], marks[#marks + 2] = now_ms, start end
  end
  if #marks == 0 then return nothing end
  return function()
    redis.call('ZADD', key, unpack(marks))
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now_ms - life_ms)
    redis.call('ZREMRANGEBYRANK', key, 0, -most - 1)
    redis.call('PEXPIREAT', key, now_ms + life_ms)
  end
end
