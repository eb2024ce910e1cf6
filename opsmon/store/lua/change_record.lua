-- change_record: write one field of a hash if it still holds what the caller believes, and say so in the audit.
-- KEYS[1] the hash  KEYS[2] audit stream  KEYS[3] meta
-- ARGV[1] field  ARGV[2] text believed, '' for none  ARGV[3] new text, '' takes the field away  ARGV[4] audit entries kept
-- ARGV[5] 'people' when the hash holds people, else ''  ARGV[6..] names and values of the audit entry
-- Returns 'done'; 'changed' when another was quicker; of people 'taken' when somebody has the e-mail address already,
-- 'last' when nobody could let others in afterwards. Nothing is written then.
-- Safe to repeat: the second time the field is no longer what was believed.
local found = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if found ~= ARGV[2] then return 'changed' end

-- Who may let others in: an admin who is not shut out and has chosen a password.
local function lets_in(person)
  return person.role == 'admin' and not person.is_off and person.password ~= ''
end

if ARGV[5] == 'people' then
  local new = ARGV[3] ~= '' and cjson.decode(ARGV[3]) or nil
  local others = 0
  local all = redis.call('HGETALL', KEYS[1])
  for at = 1, #all, 2 do
    if all[at] ~= ARGV[1] then
      local other = cjson.decode(all[at + 1])
      if new and other.email == new.email then return 'taken' end
      if lets_in(other) then others = others + 1 end
    end
  end
  local before = found ~= '' and cjson.decode(found) or nil
  local stays = new and lets_in(new)
  if before and lets_in(before) and not stays and others == 0 then return 'last' end
  if stays then redis.call('HSET', KEYS[3], 'has_admin', '1') end
end

if ARGV[3] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[4], '*', unpack(ARGV, 6))
return 'done'
