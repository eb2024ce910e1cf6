-- append_events: take several deliveries, each once, or none of them.
-- KEYS[1] event stream  KEYS[2] dead-letter stream  KEYS[3] counts  KEYS[4..] seen mark of each delivery
-- ARGV[1] how long a seen mark lives, ms  ARGV[2] now, epoch ms  ARGV[3..] per delivery: kind ('event', 'dead', 'promised' or 'not_used'), source,
--         first and second field (event: its bytes, their checksum; dead: payload, reason and in a last line headers)
--         promised: dead, and answered 200 already; it is kept however many there are
-- Returns one of 'event', 'dead', 'not_used', 'duplicate', 'stopped' per delivery, or an error; then nothing was
-- written. Stopped: unusable, and its source has so many dead letters (10,000 or 16 MiB) that nobody looks at them.
-- Safe to repeat: a delivery seen before is a duplicate. Checks come before the first write (Lua does not roll back);
-- a full memory refuses the first write, which is the first mark. A mark is looked for and set in one call.
--@include keep_dead
local outcomes, tally, names, stored_sums = {}, {}, {}, {}

for index, expected in ipairs({'stream', 'stream', 'hash'}) do
  local kind = redis.call('TYPE', KEYS[index]).ok
  if kind ~= expected and kind ~= 'none' then
    return redis.error_reply('WRONGTYPE ' .. KEYS[index] .. ' is a ' .. kind)
  end
end
-- Whatever turns out to be a duplicate: every counter that may be needed can count.
for at = 3, #ARGV, 4 do
  local kind, source = ARGV[at], ARGV[at + 1]
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

for index = 4, #KEYS do
  local at = 3 + (index - 4) * 4
  local kind, source = ARGV[at], ARGV[at + 1]
  local counters = names[source]
  local is_promised = kind == 'promised'
  if is_promised then kind = 'dead' end
  if kind == 'dead' and not is_promised and is_full(counters, stored_sums, tally)
      and redis.call('EXISTS', KEYS[index]) == 0 then
    kind = 'stopped'
  elseif not redis.call('SET', KEYS[index], '1', 'NX', 'PX', ARGV[1]) then
    kind = 'duplicate'
  elseif kind == 'event' then
    redis.call('XADD', KEYS[1], '*', 'e', ARGV[at + 2], 'c', ARGV[at + 3])
  elseif kind == 'dead' then
    local size = keep_dead(KEYS[2], source, ARGV[at + 2], ARGV[at + 3], KEYS[index])
    tally[counters.held] = (tally[counters.held] or 0) + 1
    tally[counters.held_bytes] = (tally[counters.held_bytes] or 0) + size
  end
  outcomes[index - 3] = kind
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
