-- settle_dead: take dead letters away, each once: into the stream as the events it is read as, or for good.
-- Times are epoch ms.
-- KEYS[1] event stream  KEYS[2] dead-letter stream  KEYS[3] counts  KEYS[4] journal  KEYS[5..] mark of each event
-- ARGV[1] the journal's line as JSON, `what` in it the counter  ARGV[2] how long a mark lives, ms
-- ARGV[3..] per letter: entry id, how many events, then bytes and checksum of each
-- Returns how many letters were settled, and how many were duplicates: no longer there, or all of it marked before.
-- Safe to repeat: a letter that is gone is left alone. Checks come before the first write (Lua does not roll back). A
-- full memory refuses the first write if that is a mark; it refuses no discard, which makes room.
--@include next_revision
--@include dead_letter
local line = cjson.decode(ARGV[1])
local letters, sources = {}, {}

for index, expected in ipairs({'stream', 'stream', 'hash', 'stream'}) do
  local kind = redis.call('TYPE', KEYS[index]).ok
  if kind ~= expected and kind ~= 'none' then
    return redis.error_reply('WRONGTYPE ' .. KEYS[index] .. ' is a ' .. kind)
  end
  if expected == 'stream' and last_id(KEYS[index]) == '18446744073709551615-18446744073709551615' then
    return redis.error_reply('ERR ' .. KEYS[index] .. ' is used up')
  end
end
local at, mark = 3, 5
while at <= #ARGV do
  local events = tonumber(ARGV[at + 1])
  local found = redis.call('XRANGE', KEYS[2], ARGV[at], ARGV[at])[1]
  local letter = {id = ARGV[at], at = at + 2, events = events, mark = mark, is_there = found ~= nil}
  if found then
    letter.source, letter.size = dead_letter(found[2])
    sources[letter.source] = {n = 0, held = 0, bytes = 0}
  end
  letters[#letters + 1], at, mark = letter, at + 2 + 2 * events, mark + events
end
for source in pairs(sources) do
  for _, name in ipairs({line.what, 'held', 'held_bytes'}) do
    local stored = redis.call('HGET', KEYS[3], source .. ':' .. name) or '0'
    if #stored > 16 or not string.match(stored, '^%-?%d+$') then
      return redis.error_reply('ERR ' .. KEYS[3] .. ' cannot count ' .. source .. ':' .. name)
    end
  end
end

local settled, duplicates = 0, 0
for _, letter in ipairs(letters) do
  local fresh = letter.events == 0
  for number = 0, letter.is_there and letter.events - 1 or -1 do
    if redis.call('SET', KEYS[letter.mark + number], '1', 'NX', 'PX', ARGV[2]) then
      redis.call('XADD', KEYS[1], '*', 'e', ARGV[letter.at + 2 * number], 'c', ARGV[letter.at + 2 * number + 1])
      fresh = true
    end
  end
  if letter.is_there and redis.call('XDEL', KEYS[2], letter.id) == 1 then
    local source = sources[letter.source]
    source.held, source.bytes = source.held + 1, source.bytes + letter.size
    if fresh then source.n, settled = source.n + 1, settled + 1 else duplicates = duplicates + 1 end
  else
    duplicates = duplicates + 1
  end
end
local journal = {'settled', settled, 'duplicates', duplicates}
for name, value in pairs(line) do
  journal[#journal + 1], journal[#journal + 2] = name, value
end
redis.call('XADD', KEYS[4], 'MAXLEN', '~', 1000, '*', unpack(journal))
for source, sum in pairs(sources) do
  if sum.n > 0 then redis.call('HINCRBY', KEYS[3], source .. ':' .. line.what, sum.n) end
  redis.call('HINCRBY', KEYS[3], source .. ':held', -sum.held)
  redis.call('HINCRBY', KEYS[3], source .. ':held_bytes', -sum.bytes)
end
return {settled, duplicates}
