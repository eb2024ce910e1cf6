-- check_pending(stream, group, ids): each still pending, whoever holds it.
-- A batch read at once is one stretch of the pending list: one look sees all of it.
local function check_pending(stream, group, ids)
  local count = #ids
  if count == 0 then return end
  local held = redis.pcall('XPENDING', stream, group, ids[1], ids[count], count)
  if is_error(held) then refuse('stream', held.err) return end
  local same = #held == count
  for index = 1, same and count or 0 do
    if held[index][1] ~= ids[index] then same = false break end
  end
  for index = 1, same and 0 or count do
    if #redis.call('XPENDING', stream, group, ids[index], ids[index], 1) == 0 then refuse('entry', ids[index]) end
  end
end
