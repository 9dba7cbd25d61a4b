#!lua flags=allow-oom
-- Forgets a worker, unless it was seen lately.
-- uses: base
-- KEYS[1] workers by their last beat
-- KEYS[2] the worker
-- ARGV[1] worker id
-- ARGV[2] ms since its last beat, at least
-- Returns: 1 forgotten, 0 not
local beat = redis.call('ZSCORE', KEYS[1], ARGV[1])
if beat and clock() - tonumber(beat) < tonumber(ARGV[2]) then return 0 end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[2])
return 1
