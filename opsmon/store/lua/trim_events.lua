-- trim_events: forget old events, but never one that any group still needs.
-- Times are epoch ms.
-- KEYS[1] event stream
-- ARGV[1] events that arrived before this may go
-- Returns how many went.
-- Safe to repeat. What a group needs begins at its oldest pending entry, else after its last delivered one.
local function earlier(a, b)
  local a_ms, a_seq = string.match(a, '^(%d+)%-(%d+)$')
  local b_ms, b_seq = string.match(b, '^(%d+)%-(%d+)$')
  if tonumber(a_ms) ~= tonumber(b_ms) then return tonumber(a_ms) < tonumber(b_ms) end
  return tonumber(a_seq) < tonumber(b_seq)
end

if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local groups = redis.call('XINFO', 'GROUPS', KEYS[1])
if #groups == 0 then return 0 end
local keep_from = ARGV[1] .. '-0'
for _, group in ipairs(groups) do
  local about = {}
  for i = 1, #group, 2 do about[group[i]] = group[i + 1] end
  local pending = redis.call('XPENDING', KEYS[1], about['name'])
  local needed = pending[1] > 0 and pending[2] or about['last-delivered-id']
  if earlier(needed, keep_from) then keep_from = needed end
end
return redis.call('XTRIM', KEYS[1], 'MINID', keep_from)
