-- find_entries: look through a part of a stream for entries in which a text stands.
-- KEYS[1] event stream
-- ARGV[1] from which id on, '(' before one leaves it out  ARGV[2..] the texts, as they are
-- Returns where the next part begins ('' at the end), then id, bytes and checksum of each entry found. Reads only.
-- Safe to repeat.
local MOST = 1000
if redis.call('EXISTS', KEYS[1]) == 0 then return {''} end
local page = redis.call('XRANGE', KEYS[1], ARGV[1], '+', 'COUNT', MOST)
local found = {#page == MOST and '(' .. page[MOST][1] or ''}
for _, entry in ipairs(page) do
  local bytes, sum, is_found = '', '', false
  for i = 1, #entry[2], 2 do
    if entry[2][i] == 'e' then bytes = entry[2][i + 1] elseif entry[2][i] == 'c' then sum = entry[2][i + 1] end
  end
  for text = 2, #ARGV do is_found = is_found or string.find(bytes, ARGV[text], 1, true) ~= nil end
  if is_found then
    local at = #found
    found[at + 1], found[at + 2], found[at + 3] = entry[1], bytes, sum
  end
end
return found
