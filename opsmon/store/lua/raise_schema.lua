-- raise_schema: write down how the store is written, unless a newer opsmon was there before.
-- KEYS[1] meta
-- ARGV[1] the schema
-- Returns the schema that counts now. Safe to repeat.
local stored = tonumber(redis.call('HGET', KEYS[1], 'schema') or '0')
if stored >= tonumber(ARGV[1]) then return stored end
redis.call('HSET', KEYS[1], 'schema', ARGV[1])
return tonumber(ARGV[1])
