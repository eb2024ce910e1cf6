-- last_id(stream): the last id a stream has given, '0-0' before the first; also when its entries are gone.
local function last_id(stream)
  if redis.call('EXISTS', stream) == 0 then return '0-0' end
  local about = redis.call('XINFO', 'STREAM', stream)
  for i = 1, #about, 2 do
    if about[i] == 'last-generated-id' then return about[i + 1] end
  end
end

-- next_revision(stream, now_ms): the next id of the change stream: max(last + 1, now), so that a clock
-- step backwards cannot run it backwards. The sequence stays below 1000: ms * 1000 + sequence is the revision,
-- a whole number below 2^53; nil when it no longer would be.
local function next_revision(stream, now_ms)
  local ms, seq = string.match(last_id(stream), '^(%d+)%-(%d+)$')
  ms, seq = tonumber(ms), tonumber(seq) + 1
  if now_ms > ms then ms, seq = now_ms, 0 end
  if seq > 999 then ms, seq = ms + 1, 0 end
  if ms * 1000 + seq >= 9007199254740992 then return nil end
  return string.format('%.0f-%d', ms, seq)
end
