-- turn: take the turn to do something that one process of a site does at a time, or keep it.
-- KEYS[1] whose turn it is
-- ARGV[1] who asks  ARGV[2] for how long, ms; it is given up by asking for 1
-- Returns 1 when it is the asker's, 0 when it is another's.
-- Safe to repeat: who has the turn keeps it.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
