-- commit: count a batch once and acknowledge it, or do nothing.
-- Times are epoch ms, amounts whole numbers below 2^53 (Lua's are doubles).
-- KEYS[1] event stream  [2] change stream  [3] meta  [4] dead-letter stream  [5..] the keys of each section, in order
-- and, where the commit has any, the last one: the requests for privacy
-- ARGV[1] the commit as JSON (its names: scripts.py)  then per state: value believed ('' for none), new value ('' for
-- none any more);
-- then per dead letter: payload
-- Returns {} when done, else pairs: 'entry' id | section index | 'generation' stored | 'stream' error;
-- then nothing was written.
-- Safe to repeat: acknowledged entries are no longer pending. XACK is the first write, so that a full memory
-- cannot refuse the rest; every check comes before it, because Lua does not roll back.
--@include next_revision
--@include refuse
--@include check_pending
--@include check_state
--@include check_sums
--@include check_joins
--@include check_scores
--@include check_unique
--@include check_open
--@include check_rows
--@include check_corrected
local commit = cjson.decode(ARGV[1])

for _, stream in ipairs({KEYS[2], KEYS[4]}) do
  local kind = redis.call('TYPE', stream).ok
  if kind ~= 'stream' and kind ~= 'none' then refuse('stream', stream .. ' is a ' .. kind)
  elseif last_id(stream) == '18446744073709551615-18446744073709551615' then refuse('stream', stream .. ' is used up') end
end
local about = redis.pcall('HMGET', KEYS[3], 'generation', 'since_ms', 'building', 'fenced', 'begun_ms')
local generation, since, begun = about[1] or '0', about[2], tonumber(about[5] or '')
local is_mine = generation == commit.generation and not about[4] or commit.generation == '-' .. (about[3] or '')
if commit.alone and about[3] then is_mine = false end
if is_error(about) then refuse('stream', KEYS[3] .. ' is no hash')
elseif not fits(generation, 0) then refuse('stream', KEYS[3] .. ' has a generation that is no whole number')
elseif not is_mine then refuse('generation', generation)
elseif since and not fits(since, 0) then refuse('stream', KEYS[3] .. ' has a since_ms that is no whole number') end
local revision = #refused == 0 and commit.kpis ~= '' and next_revision(KEYS[2], commit.now_ms)
if revision == nil then refuse('stream', KEYS[2] .. ' has no revision left below 2^53') end
check_pending(KEYS[1], commit.group, commit.ids)
if #commit.asked > 0 and is_error(redis.pcall('HLEN', KEYS[#KEYS])) then refuse('stream', KEYS[#KEYS] .. ' is no hash') end
if #refused > 0 then return refused end

local writes, key, at = {}, 5, 2
for number, life_ms in ipairs(commit.states) do
  writes[#writes + 1] = check_state(KEYS[key], number, life_ms, ARGV[at], ARGV[at + 1])
  key, at = key + 1, at + 2
end
for _, section in ipairs({{'sums', check_sums}, {'joins', check_joins}, {'unique', check_unique},
    {'scores', check_scores}, {'open', check_open}, {'rows', check_rows}, {'corrected', check_corrected}}) do
  for number, entry in ipairs(commit[section[1]]) do
    writes[#writes + 1], key = section[2](KEYS[key], number, entry, begun), key + 1
  end
end
if #refused > 0 then return refused end

if #commit.ids > 0 then redis.call('XACK', KEYS[1], commit.group, unpack(commit.ids)) end
for _, write in ipairs(writes) do write() end
if #commit.asked > 0 then redis.call('HSET', KEYS[#KEYS], unpack(commit.asked)) end
for number, letter in ipairs(commit.dead) do
  redis.call('XADD', KEYS[4], '*', 'source', letter[1], 'payload', ARGV[at + number - 1], 'reason', letter[2],
    'tries', letter[3])
end
if commit.since_ms ~= '' and (not since or commit.since_ms < tonumber(since)) then
  redis.call('HSET', KEYS[3], 'since_ms', commit.since_ms)
end
if not begun then redis.call('HSET', KEYS[3], 'begun_ms', commit.now_ms) end
if revision then
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', 4096, revision, 'kpis', commit.kpis, 'arrived', commit.arrived_ms)
end
return {}
