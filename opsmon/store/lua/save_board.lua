-- save_board: keep the next version of a board, unless somebody else has made it, and say so in the audit.
-- Times are epoch ms.
-- KEYS[1] boards as saved last  KEYS[2] versions of this board  KEYS[3] change stream
-- KEYS[4] audit stream
-- ARGV[1] board  ARGV[2] version it follows on, 0 for none  ARGV[3] record  ARGV[4] now
-- ARGV[5] audit entries kept  ARGV[6..] names and values of the audit entry
-- Returns {1, its version} when it is kept, {0, the version that counts} when another one came first.
-- Safe to repeat: the same record after the same version is kept once, and told once. All reads come before the first write.
--@include next_revision
local last = tonumber(redis.call('HGET', KEYS[2], 'version') or '0')
local version = tonumber(ARGV[2]) + 1
if last == version and redis.call('HGET', KEYS[2], tostring(version)) == ARGV[3] then return {1, version} end
if last ~= tonumber(ARGV[2]) then return {0, last} end
local revision = next_revision(KEYS[3], tonumber(ARGV[4]))
if not revision then return redis.error_reply('ERR ' .. KEYS[3] .. ' has no revision left below 2^53') end
-- Of another type they would refuse the second write and not the first.
redis.call('HEXISTS', KEYS[1], ARGV[1])
redis.call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[5], '*', unpack(ARGV, 6))
redis.call('HSET', KEYS[2], 'version', version, tostring(version), ARGV[3])
redis.call('HDEL', KEYS[2], tostring(version - 20))
redis.call('HSET', KEYS[1], ARGV[1], version .. ' ' .. ARGV[4] .. ' ' .. ARGV[3])
redis.call('XADD', KEYS[3], 'MAXLEN', '~', 4096, revision, 'kpis', '', 'arrived', '', 'board', ARGV[1])
return {1, version}
