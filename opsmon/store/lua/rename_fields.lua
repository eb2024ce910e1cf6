-- rename_fields: give fields of a hash, or members of a sorted set or a set, other names.
-- KEYS[1] the key
-- ARGV[1] and on, per name: the old one, the new one
-- Returns how many there were. Sums add up to what has the new name; of joins ('first:second') the one that wins stays.
-- Safe to repeat: an old name that is not there is left alone.
local function joined(name, old, new)
  local first, second = string.match(old, '^(%-?%d+):(%-?%d+)$')
  local other, last = string.match(new, '^(%-?%d+):(%-?%d+)$')
  if not first or not other then return new end
  first, second, other, last = tonumber(first), tonumber(second), tonumber(other), tonumber(last)
  if first == other then return second > last and old or new end
  if string.match(name, 'min[:%w]*$') then return first < other and old or new end
  return first > other and old or new
end

local kind, went = redis.call('TYPE', KEYS[1]).ok, 0
for at = 1, #ARGV, 2 do
  local old, new, stored = ARGV[at], ARGV[at + 1], false
  if kind == 'hash' then
    stored = redis.call('HGET', KEYS[1], old)
    local there = stored and redis.call('HGET', KEYS[1], new)
    if stored and there and string.match(stored, '^%-?%d+$') then redis.call('HINCRBY', KEYS[1], new, stored)
    elseif stored then redis.call('HSET', KEYS[1], new, there and joined(new, stored, there) or stored) end
    if stored then redis.call('HDEL', KEYS[1], old) end
  elseif kind == 'zset' then
    stored = redis.call('ZSCORE', KEYS[1], old)
    if stored then redis.call('ZINCRBY', KEYS[1], stored, new) redis.call('ZREM', KEYS[1], old) end
  elseif kind == 'set' then
    stored = redis.call('SISMEMBER', KEYS[1], old) == 1
    if stored then redis.call('SADD', KEYS[1], new) redis.call('SREM', KEYS[1], old) end
  end
  if stored then went = went + 1 end
end
return went
