-- take_try: take one of a bounded number of tries from each of several buckets, or from none (a leaky bucket each).
-- KEYS[1] and all others: buckets
-- ARGV[1] now, ms  ARGV[2..] for each bucket: how many it holds, how long one takes to come back, ms
-- Returns 0 when the try is taken, else after how many ms there is one again.
-- Safe to repeat, but each call takes a try.
local now = tonumber(ARGV[1])
local levels, wait = {}, 0
for at = 1, #KEYS do
  local most, each = tonumber(ARGV[at * 2]), tonumber(ARGV[at * 2 + 1])
  local kept = redis.call('HMGET', KEYS[at], 'level', 'at')
  local level = math.max((tonumber(kept[1]) or 0) - math.max(now - (tonumber(kept[2]) or now), 0) / each, 0)
  levels[at] = level
  if level + 1 > most then wait = math.max(wait, math.ceil((level + 1 - most) * each)) end
end
if wait > 0 then return wait end
for at = 1, #KEYS do
  local each = tonumber(ARGV[at * 2 + 1])
  redis.call('HSET', KEYS[at], 'level', tostring(levels[at] + 1), 'at', ARGV[1])
  redis.call('PEXPIRE', KEYS[at], math.ceil((levels[at] + 1) * each) + 1000)
end
return 0
