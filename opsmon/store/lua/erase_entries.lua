-- erase_entries: take entries that are counted out of a stream, leaving of each what a recount needs.
-- KEYS[1] event stream  KEYS[2] what stays of erased entries  KEYS[3] meta
-- ARGV[1] the group  ARGV[2..] per entry: its id, the bytes that stay, their checksum
-- Returns how many went; -1 while the site is counted anew: then nothing was written.
-- Safe to repeat: what is gone is left alone, and what nobody has counted yet stays.
local function is_after(a, b)
  local a_ms, a_seq = string.match(a, '^(%d+)%-(%d+)$')
  local b_ms, b_seq = string.match(b, '^(%d+)%-(%d+)$')
  if tonumber(a_ms) ~= tonumber(b_ms) then return tonumber(a_ms) > tonumber(b_ms) end
  return tonumber(a_seq) > tonumber(b_seq)
end

local kind = redis.call('TYPE', KEYS[2]).ok
if kind ~= 'stream' and kind ~= 'none' then return redis.error_reply('WRONGTYPE ' .. KEYS[2] .. ' is a ' .. kind) end
if redis.call('HEXISTS', KEYS[3], 'building') == 1 then return -1 end
local delivered = '0-0'
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local about = {}
  for i = 1, #group, 2 do about[group[i]] = group[i + 1] end
  if about['name'] == ARGV[1] then delivered = about['last-delivered-id'] end
end
local went = 0
for at = 2, #ARGV, 3 do
  local id = ARGV[at]
  local is_counted = not is_after(id, delivered) and #redis.call('XPENDING', KEYS[1], ARGV[1], id, id, 1) == 0
  if is_counted and redis.call('XDEL', KEYS[1], id) == 1 then
    redis.call('XADD', KEYS[2], '*', 'e', ARGV[at + 1], 'c', ARGV[at + 2])
    went = went + 1
  end
end
return went
