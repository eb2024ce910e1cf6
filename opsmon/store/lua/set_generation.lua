-- set_generation: say which panes count from now on, if those that count are the ones the caller believes.
-- KEYS[1] meta
-- ARGV[1] generation believed  ARGV[2] new generation  ARGV[3] new calendar
-- Returns 1 when done, 0 when another generation counts by now; then nothing was written.
-- Safe to repeat: the second time another generation counts.
if (redis.call('HGET', KEYS[1], 'generation') or '0') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'generation', ARGV[2], 'calendar', ARGV[3])
return 1
