-- tick: say once a minute, for all processes together, that time moved.
-- Times are epoch ms.
-- KEYS[1] change stream  KEYS[2] meta
-- ARGV[1] now  ARGV[2] start of the present minute  ARGV[3] ids of the KPIs that time moves
-- Returns 1 when this call said it, 0 when another had.
-- Safe to repeat, and to be called by every process at once. All reads come before the first write.
--@include next_revision
local last = tonumber(redis.call('HGET', KEYS[2], 'ticked_ms') or '0')
if tonumber(ARGV[2]) == last then return 0 end
local revision = next_revision(KEYS[1], tonumber(ARGV[1]))
if not revision then return redis.error_reply('ERR ' .. KEYS[1] .. ' has no revision left below 2^53') end
redis.call('HSET', KEYS[2], 'ticked_ms', ARGV[2])
redis.call('XADD', KEYS[1], 'MAXLEN', '~', 4096, revision, 'kpis', ARGV[3], 'arrived', '', 'tick', ARGV[2])
return 1
