-- append_events: take several deliveries, each once, or none of them.
-- KEYS[1] event stream  KEYS[2] dead-letter stream  KEYS[3] counts  KEYS[4..] seen mark of each delivery
-- ARGV[1] how long a seen mark lives, ms  ARGV[2] now, epoch ms  ARGV[3..] per delivery: kind ('event', 'dead' or 'not_used'), source,
--         first and second field (event: its bytes, their checksum; dead: payload, reason)
-- Returns one of 'event', 'dead', 'not_used', 'duplicate' per delivery.
-- Safe to repeat: a delivery seen before is a duplicate. A refused first write (memory full) leaves nothing.
local outcomes, tally, heard = {}, {}, {}
for index = 4, #KEYS do
  local at = 3 + (index - 4) * 4
  local kind, source, first, second = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  if redis.call('EXISTS', KEYS[index]) == 1 then
    kind = 'duplicate'
  else
    if kind == 'event' then
      redis.call('XADD', KEYS[1], '*', 'e', first, 'c', second)
    elseif kind == 'dead' then
      redis.call('XADD', KEYS[2], '*', 'source', source, 'payload', first, 'reason', second, 'tries', '0')
    end
    redis.call('SET', KEYS[index], '1', 'PX', ARGV[1])
  end
  outcomes[#outcomes + 1] = kind
  local counter = source .. ':' .. (kind == 'event' and 'accepted' or kind)
  tally[counter] = (tally[counter] or 0) + 1
  heard[source] = true
end
for counter, count in pairs(tally) do
  redis.call('HINCRBY', KEYS[3], counter, count)
end
for source in pairs(heard) do
  redis.call('HSET', KEYS[3], source .. ':last_ms', ARGV[2])
end
return outcomes
