-- trim_dead: let old dead letters go, and keep right how many of each source are held.
-- Times are epoch ms.
-- KEYS[1] dead-letter stream  KEYS[2] counts
-- ARGV[1] letters from before this may go  ARGV[2] how many may stay, -1 for any number  ARGV[3] how many go at most
-- Returns how many went.
-- Safe to repeat. Letters that came or went by another way (an older opsmon, a person) are found by the sum of what
-- is held, which is then counted anew: rare, and the only step here that looks at every letter.
--@include dead_letter
local before_ms, stay, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local length, went, sums = redis.call('XLEN', KEYS[1]), 0, {}

for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', most)) do
  local is_surplus = stay >= 0 and length - went > stay
  if not is_surplus and tonumber(string.match(entry[1], '^%d+')) >= before_ms then break end
  local source, size = dead_letter(entry[2])
  redis.call('XDEL', KEYS[1], entry[1])
  sums[source .. ':held'] = (sums[source .. ':held'] or 0) - 1
  sums[source .. ':held_bytes'] = (sums[source .. ':held_bytes'] or 0) - size
  went = went + 1
end
for counter, count in pairs(sums) do redis.call('HINCRBY', KEYS[2], counter, count) end

local counted, total, counts = {}, 0, redis.call('HGETALL', KEYS[2])
for i = 1, #counts, 2 do
  if string.match(counts[i], ':held$') then total = total + (tonumber(counts[i + 1]) or 0) end
  if string.match(counts[i], ':held$') or string.match(counts[i], ':held_bytes$') then counted[counts[i]] = 0 end
end
if total == length - went then return went end

local from = '-'
while true do
  local page = redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', 100)
  for _, entry in ipairs(page) do
    local source, size = dead_letter(entry[2])
    counted[source .. ':held'] = (counted[source .. ':held'] or 0) + 1
    counted[source .. ':held_bytes'] = (counted[source .. ':held_bytes'] or 0) + size
  end
  if #page < 100 then break end
  from = '(' .. page[#page][1]
end
for counter, count in pairs(counted) do redis.call('HSET', KEYS[2], counter, count) end
return went
