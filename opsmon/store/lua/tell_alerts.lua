-- tell_alerts: say on the change stream that silences or rules are others now, so that screens look again.
-- Times are epoch ms.
-- KEYS[1] change stream
-- ARGV[1] now  ARGV[2] what it is about
-- Returns 1.
-- Safe to repeat: screens look once more. All reads come before the first write.
--@include next_revision
local revision = next_revision(KEYS[1], tonumber(ARGV[1]))
if not revision then return redis.error_reply('ERR ' .. KEYS[1] .. ' has no revision left below 2^53') end
redis.call('XADD', KEYS[1], 'MAXLEN', '~', 4096, revision, 'kpis', '', 'arrived', '', 'alert', ARGV[2])
return 1
