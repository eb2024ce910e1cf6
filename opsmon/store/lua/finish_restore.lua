-- finish_restore: put the streams and the facts of a backup in their places, and let the workers count on.
-- What arrived since the restoring began was confirmed to its sender: it stays, behind what is restored.
-- KEYS[1] meta  [2] meta restored  [3] requests for privacy  [4] those restored  [5] event stream  [6] that restored
-- [7] visits  [8] those restored  [9] dead letters  [10] those restored
-- ARGV[1] the generation whose fence this is, and whose panes were restored  ARGV[2..4] the newest entries of the three
-- streams when it began
-- Returns how many entries had arrived meanwhile, -1 when the fence is no more; then nothing was written.
-- Safe to repeat.
local about = redis.call('HMGET', KEYS[1], 'building', 'fenced')
if about[1] ~= ARGV[1] or not about[2] then return -1 end

-- later(id, other): whether an entry's id is the larger.
local function later(id, other)
  local ms, number = string.match(id, '^(%d+)-(%d+)$')
  local other_ms, other_number = string.match(other, '^(%d+)-(%d+)$')
  if ms ~= other_ms then return tonumber(ms) > tonumber(other_ms) end
  return tonumber(number) > tonumber(other_number)
end

local arrived = 0
for number, key in ipairs({5, 7, 9}) do
  local live, restored = KEYS[key], KEYS[key + 1]
  local newer = redis.call('XRANGE', live, '(' .. ARGV[number + 1], '+')
  if redis.call('EXISTS', restored) == 0 and redis.call('EXISTS', live) == 1 then
    -- The backup has none: what was here goes, its groups stay.
    redis.call('XTRIM', live, 'MAXLEN', #newer)
  else
    local last = '0-0'
    if #newer > 0 and redis.call('EXISTS', restored) == 1 then
      local info = redis.call('XINFO', 'STREAM', restored)
      for i = 1, #info, 2 do if info[i] == 'last-generated-id' then last = info[i + 1] end end
    end
    for _, entry in ipairs(newer) do
      redis.call('XADD', restored, later(entry[1], last) and entry[1] or '*', unpack(entry[2]))
    end
    if redis.call('EXISTS', restored) == 1 then
      redis.call('RENAME', restored, live)
      redis.call('PERSIST', live)
    end
  end
  arrived = arrived + #newer
end

for _, pair in ipairs({{3, 4}, {1, 2}}) do
  local live, restored = KEYS[pair[1]], KEYS[pair[2]]
  if pair[1] == 3 then
    -- Who asked to be forgotten since the backup is still to be.
    local asked = redis.call('HGETALL', live)
    for i = 1, #asked, 2 do redis.call('HSET', restored, asked[i], asked[i + 1]) end
  else
    redis.call('HDEL', restored, 'building', 'fenced')
    redis.call('HSET', restored, 'generation', ARGV[1], 'built', ARGV[1])
  end
  if redis.call('EXISTS', restored) == 1 then
    redis.call('RENAME', restored, live)
    redis.call('PERSIST', live)
  end
end
return arrived
