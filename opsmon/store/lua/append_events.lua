-- append_events: take several deliveries, each once, or none of them.
-- KEYS[1] event stream  KEYS[2] dead-letter stream  KEYS[3] counts  KEYS[4..] seen mark of each delivery
-- ARGV[1] how long a seen mark lives, ms  ARGV[2] now, epoch ms  ARGV[3] JSON, four lists of something of each delivery:
--         kind ('event', 'dead', 'promised' or 'not_used'), source, length of the first field in bytes, second field
-- ARGV[4] the first fields end to end (event: its bytes, then their checksum; dead: payload, then reason and in a
--         last line headers); promised: dead, and answered 200 already; it is kept however many there are
-- Returns one of 'event', 'dead', 'not_used', 'duplicate', 'stopped' per delivery, or an error; then nothing was
-- written. Stopped: unusable, and its source has so many dead letters (10,000 or 16 MiB) that nobody looks at them.
-- Safe to repeat: a delivery seen before is a duplicate. Checks come before the first write (Lua does not roll back);
-- a full memory refuses the first write, which is the first mark. A mark is looked for and set in one call.
--@include keep_dead
local outcomes, tally, names, stored_sums = {}, {}, {}, {}
local kinds, sources, lengths, seconds = unpack(cjson.decode(ARGV[3]))

for index, expected in ipairs({'stream', 'stream', 'hash'}) do
  local kind = redis.call('TYPE', KEYS[index]).ok
  if kind ~= expected and kind ~= 'none' then
    return redis.error_reply('WRONGTYPE ' .. KEYS[index] .. ' is a ' .. kind)
  end
end
-- Whatever turns out to be a duplicate: every counter that may be needed can count.
for at, kind in ipairs(kinds) do
  local source = sources[at]
  local counters = names[source] or {duplicate = source .. ':duplicate'}
  if kind == 'promised' then kind = 'dead' end
  counters[kind] = counters[kind] or source .. ':' .. (kind == 'event' and 'accepted' or kind)
  if kind == 'dead' then
    for _, name in ipairs({'stopped', 'held', 'held_bytes'}) do counters[name] = source .. ':' .. name end
  end
  names[source] = counters
end
for _, counters in pairs(names) do
  for _, counter in pairs(counters) do
    local stored = redis.call('HGET', KEYS[3], counter) or '0'
    if #stored > 16 or not string.match(stored, '^%-?%d+$') then
      return redis.error_reply('ERR ' .. KEYS[3] .. ' cannot count ' .. counter)
    end
    stored_sums[counter] = tonumber(stored)
  end
end

local before = 0
for at, kind in ipairs(kinds) do
  local source, mark = sources[at], KEYS[at + 3]
  local counters, first = names[source], string.sub(ARGV[4], before + 1, before + lengths[at])
  before = before + lengths[at]
  local is_promised = kind == 'promised'
  if is_promised then kind = 'dead' end
  if kind == 'dead' and not is_promised and is_full(counters, stored_sums, tally) and redis.call('EXISTS', mark) == 0 then
    kind = 'stopped'
  elseif not redis.call('SET', mark, '1', 'NX', 'PX', ARGV[1]) then
    kind = 'duplicate'
  elseif kind == 'event' then
    redis.call('XADD', KEYS[1], '*', 'e', first, 'c', seconds[at])
  elseif kind == 'dead' then
    local size = keep_dead(KEYS[2], source, first, seconds[at], mark)
    tally[counters.held] = (tally[counters.held] or 0) + 1
    tally[counters.held_bytes] = (tally[counters.held_bytes] or 0) + size
  end
  outcomes[at] = kind
  local counter = counters[kind]
  tally[counter] = (tally[counter] or 0) + 1
end
for counter, count in pairs(tally) do
  redis.call('HINCRBY', KEYS[3], counter, count)
end
for source in pairs(names) do
  redis.call('HSET', KEYS[3], source .. ':last_ms', ARGV[2])
end
return outcomes
