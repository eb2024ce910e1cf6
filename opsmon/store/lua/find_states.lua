-- find_states: those of some states in whose key or value a text stands.
-- KEYS[1] and on: the states
-- ARGV[1] and on: the texts, as they are
-- Returns key and value of each that is found. Reads only.
-- Safe to repeat.
local found = {}
for _, key in ipairs(KEYS) do
  local value, is_found = redis.call('GET', key), false
  for _, text in ipairs(ARGV) do
    is_found = is_found or (value and (string.find(value, text, 1, true) or string.find(key, text, 1, true)))
  end
  if is_found then found[#found + 1], found[#found + 2] = key, value end
end
return found
