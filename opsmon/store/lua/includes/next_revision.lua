-- next_revision(stream, now_ms): the next id of the change stream: max(last + 1, now), so that a clock
-- step backwards cannot run it backwards. The sequence stays below 1000: ms * 1000 + sequence is the revision.
local function next_revision(stream, now_ms)
  local last = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)
  if #last == 0 then return string.format('%.0f-0', now_ms) end
  local ms, seq = string.match(last[1][1], '^(%d+)%-(%d+)$')
  ms, seq = tonumber(ms), tonumber(seq) + 1
  if now_ms > ms then return string.format('%.0f-0', now_ms) end
  if seq > 999 then ms, seq = ms + 1, 0 end
  return string.format('%.0f-%d', ms, seq)
end
