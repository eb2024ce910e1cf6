-- move_alert: take an alert one move further, unless somebody else has moved it.
-- Times are epoch ms.
-- KEYS[1] alerts  KEYS[2] alert log  KEYS[3] change stream  KEYS[4] notices to be delivered
-- ARGV[1] fingerprint  ARGV[2] version it follows on, 0 for none  ARGV[3] version of the record  ARGV[4] record
-- ARGV[5] now  ARGV[6] JSON: log (names and values of a line, empty for none), notices (a list of the same)
-- Returns '' when it is done, else the record that counts: another one came first, and nothing is written.
-- Safe to repeat: the second time another record counts. All reads come before the first write.
--@include next_revision
local stored = redis.call('HGET', KEYS[1], ARGV[1])
local version = stored and string.match(stored, '^%d+') or '0'
if version ~= ARGV[2] then return stored or '0 ' end
local revision = next_revision(KEYS[3], tonumber(ARGV[5]))
if not revision then return redis.error_reply('ERR ' .. KEYS[3] .. ' has no revision left below 2^53') end
local told = cjson.decode(ARGV[6])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3] .. ' ' .. ARGV[4])
if #told.log > 0 then redis.call('XADD', KEYS[2], '*', unpack(told.log)) end
for _, notice in ipairs(told.notices) do redis.call('XADD', KEYS[4], 'MAXLEN', '~', 10000, '*', unpack(notice)) end
redis.call('XADD', KEYS[3], 'MAXLEN', '~', 4096, revision, 'kpis', '', 'arrived', '', 'alert', ARGV[1])
return ''
