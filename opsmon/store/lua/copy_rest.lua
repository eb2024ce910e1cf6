-- copy_rest: what changes while workers may not commit, as of one instant: marks of deliveries, accounts, boards …
-- Times are epoch ms of the server.
-- KEYS[1] meta, and through the pattern every key of the site, which lie in one slot
-- ARGV[1] the pattern  ARGV[2] the generation whose fence this is  ARGV[3..] what is left out: keys of these names,
-- and those that go on with a colon after them
-- Returns {} when the fence is no more, else now, then name, expiry (0 for none) and DUMP of each. Reads only.
-- Safe to repeat.
local about = redis.call('HMGET', KEYS[1], 'building', 'fenced')
if about[1] ~= ARGV[2] or not about[2] then return {} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function is_left_out(name)
  for index = 3, #ARGV do
    local begin = ARGV[index] .. ':'
    if name == ARGV[index] or string.sub(name, 1, #begin) == begin then return true end
  end
  return false
end

local found, cursor, seen = {string.format('%.0f', now)}, '0', {}
repeat
  local page = redis.call('SCAN', cursor, 'MATCH', ARGV[1], 'COUNT', 1000)
  cursor = page[1]
  for _, name in ipairs(page[2]) do
    if not seen[name] and not is_left_out(name) then
      local left, at = redis.call('PTTL', name), #found
      seen[name] = true
      found[at + 1], found[at + 3] = name, redis.call('DUMP', name)
      found[at + 2] = left < 0 and '0' or string.format('%.0f', now + left)
    end
  end
until cursor == '0'
return found
