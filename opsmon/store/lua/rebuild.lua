-- rebuild: one step of counting a site anew, beside what counts, if the caller is the one who does it.
-- Times are epoch ms.
-- KEYS[1] meta
-- ARGV[1] step  ARGV[2] the generation being built (not for claim and begin)  ARGV[3] rules  ARGV[4] digests of rollups
-- ARGV[5] now
-- claim: give a new site its rules.  begin: build another generation; its number is returned, and whoever
-- built before finds out.  fence: from now on nobody else commits.  finish: what was built counts.
-- leave: give up, what counted counts on.
-- Returns the generation, or 0 when it was not the caller's turn; then nothing was written. Safe to repeat.
local step, target = ARGV[1], ARGV[2]

if step == 'claim' then
  if redis.call('HEXISTS', KEYS[1], 'rules') == 1 then return 0 end
  redis.call('HSET', KEYS[1], 'rules', ARGV[3], 'rollups', ARGV[4], 'made_ms', ARGV[5])
  return 1
elseif step == 'begin' then
  local built = redis.call('HINCRBY', KEYS[1], 'built', 1)
  redis.call('HSET', KEYS[1], 'building', built)
  redis.call('HDEL', KEYS[1], 'fenced')
  return built
end
if redis.call('HGET', KEYS[1], 'building') ~= target then return 0 end
if step == 'fence' then
  redis.call('HSET', KEYS[1], 'fenced', '1')
elseif step == 'finish' then
  redis.call('HSET', KEYS[1], 'generation', target, 'rules', ARGV[3], 'rollups', ARGV[4], 'made_ms', ARGV[5])
end
if step ~= 'fence' then redis.call('HDEL', KEYS[1], 'building', 'fenced') end
return tonumber(target)
