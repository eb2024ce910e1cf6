-- commit: count a batch once and acknowledge it, or do nothing.
-- Times are epoch ms, amounts whole numbers below 2^53 (Lua's are doubles).
-- KEYS[1] event stream  [2] change stream  [3] meta  [4] dead-letter stream  [5..] entity states, then hashes
-- ARGV[1] group  [2] now  [3] generation  [4] changed KPI ids  [5] newest arrival  [6] earliest instant or ''
-- ARGV[7] number of entry ids  [8] of states  [9] of hashes  [10] of dead letters, then
--   ids; per state: value believed ('' for none), new value, life in ms; per hash: expiry or '0' for never,
--   number of fields, then field, amount …; per dead letter: source, payload, reason, tries
-- Returns {} when done, else pairs: 'entry' id | 'state' index | 'hash' index | 'generation' stored | 'stream' error;
-- then nothing was written.
-- Safe to repeat: acknowledged entries are no longer pending. XACK is the first write, so that a full memory
-- cannot refuse the rest; every check comes before it, because Lua does not roll back.
--@include next_revision
local group, now_ms = ARGV[1], tonumber(ARGV[2])
local n_ids, n_states, n_hashes, n_dead = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local refused, at, ids, totals = {}, 11, {}, {}

local function refuse(kind, what)
  refused[#refused + 1] = kind
  refused[#refused + 1] = tostring(what)
end

local function is_error(reply) return type(reply) == 'table' and reply.err ~= nil end

local function fits(stored, amount)
  local value = stored and tonumber(stored) or 0
  if not value or (stored and not string.match(stored, '^%-?%d+$')) then return nil end
  value = value + amount
  return math.abs(value) < 9007199254740992 and value or nil
end

for _, stream in ipairs({KEYS[2], KEYS[4]}) do
  local kind = redis.call('TYPE', stream).ok
  if kind ~= 'stream' and kind ~= 'none' then refuse('stream', stream .. ' is a ' .. kind)
  elseif last_id(stream) == '18446744073709551615-18446744073709551615' then refuse('stream', stream .. ' is used up') end
end
local about = redis.pcall('HMGET', KEYS[3], 'generation', 'since_ms')
local generation, since = about[1] or '0', about[2]
if is_error(about) then refuse('stream', KEYS[3] .. ' is no hash')
elseif not fits(generation, 0) then refuse('stream', KEYS[3] .. ' has a generation that is no whole number')
elseif generation ~= ARGV[3] then refuse('generation', generation)
elseif since and not fits(since, 0) then refuse('stream', KEYS[3] .. ' has a since_ms that is no whole number') end
local revision = #refused == 0 and ARGV[4] ~= '' and next_revision(KEYS[2], now_ms)
if revision == nil then refuse('stream', KEYS[2] .. ' has no revision left below 2^53') end

for _ = 1, n_ids do
  local pending = redis.pcall('XPENDING', KEYS[1], group, ARGV[at], ARGV[at], 1)
  if is_error(pending) then refuse('stream', pending.err) break end
  if #pending == 0 then refuse('entry', ARGV[at]) end
  ids[#ids + 1], at = ARGV[at], at + 1
end
if #refused > 0 then return refused end

local states_at = at
for index = 1, n_states do
  local stored = redis.pcall('GET', KEYS[4 + index])
  if is_error(stored) or (stored or '') ~= ARGV[at] then refuse('state', index) end
  at = at + 3
end

local hashes_at = at
for index = 1, n_hashes do
  local count, fields = tonumber(ARGV[at + 1]), {}
  for f = 1, count do fields[f] = ARGV[at + 2 * f] end
  local stored = redis.pcall('HMGET', KEYS[4 + n_states + index], unpack(fields))
  totals[index] = {}
  for f = 1, count do
    local total = not is_error(stored) and fits(stored[f], tonumber(ARGV[at + 2 * f + 1]))
    if not total then refuse('hash', index) break end
    totals[index][2 * f - 1], totals[index][2 * f] = fields[f], string.format('%.0f', total)
  end
  at = at + 2 + 2 * count
end
if #refused > 0 then return refused end

if n_ids > 0 then redis.call('XACK', KEYS[1], group, unpack(ids)) end
for index = 1, n_states do
  local s = states_at + 3 * (index - 1)
  redis.call('SET', KEYS[4 + index], ARGV[s + 1], 'PX', ARGV[s + 2])
end
for index = 1, n_hashes do
  local key = KEYS[4 + n_states + index]
  redis.call('HSET', key, unpack(totals[index]))
  if ARGV[hashes_at] ~= '0' then redis.call('PEXPIREAT', key, ARGV[hashes_at]) end
  hashes_at = hashes_at + 2 + 2 * tonumber(ARGV[hashes_at + 1])
end
for _ = 1, n_dead do
  redis.call('XADD', KEYS[4], '*', 'source', ARGV[at], 'payload', ARGV[at + 1], 'reason', ARGV[at + 2],
    'tries', ARGV[at + 3])
  at = at + 4
end
if ARGV[6] ~= '' and (not since or tonumber(ARGV[6]) < tonumber(since)) then
  redis.call('HSET', KEYS[3], 'since_ms', ARGV[6])
end
if revision then
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', 4096, revision, 'kpis', ARGV[4], 'arrived', ARGV[5])
end
return {}
