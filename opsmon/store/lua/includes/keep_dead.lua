-- keep_dead(stream, source, payload, about, mark): add a dead letter; its size in bytes. `about` is its reason and,
-- in a last line of its own, the headers as JSON; `mark` the key that says it was taken.
local function keep_dead(stream, source, payload, about, mark)
  local reason, headers = string.match(about, '^(.*)\n([^\n]*)$')
  reason, headers = reason or about, headers or '{}'
  redis.call('XADD', stream, '*', 'source', source, 'payload', payload, 'reason', reason, 'tries', '0',
    'headers', headers, 'seen', mark)
  return #payload + #headers
end

-- is_full(counters, stored, tally): whether a source has so many dead letters, or bytes of them, that nobody can be
-- looking at them (keys.py: MOST_HELD). `counters` are its names, `stored` and `tally` what they stand at.
local function is_full(counters, stored, tally)
  return stored[counters.held] + (tally[counters.held] or 0) >= 10000
    or stored[counters.held_bytes] + (tally[counters.held_bytes] or 0) >= 16777216
end
