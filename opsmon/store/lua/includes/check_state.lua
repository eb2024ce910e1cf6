-- check_state(key, number, life_ms, believed, new): the stored value is the one believed ('' for none). A new value of
-- '' is none any more.
local function check_state(key, number, life_ms, believed, new)
  local stored = redis.pcall('GET', key)
  if is_error(stored) or (stored or '') ~= believed then refuse('state', number) end
  if new == '' then return function() redis.call('DEL', key) end end
  return function() redis.call('SET', key, new, 'PX', life_ms) end
end
