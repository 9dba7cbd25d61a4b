#!lua flags=allow-oom
-- Records that a worker is alive.
-- uses: base
-- KEYS[1] workers by their last beat
-- KEYS[2] the worker
-- ARGV[1] worker id
-- ARGV[2] what it does, or nothing if that is what it said before
-- ARGV[3] ms after which a silent worker is forgotten; those who say what they do
-- look for such ones
-- Returns: {1 if it was not known, else 0, {ids of workers to forget}}; one that is
-- not known has to come again with what it does
local now = clock()
if ARGV[2] == '' then
  local known = redis.call('ZADD', KEYS[1], 'XX', 'CH', num(now), ARGV[1])
  return {1 - known, {}}
end
local new = redis.call('ZADD', KEYS[1], num(now), ARGV[1])
redis.call('HSET', KEYS[2], 'info', ARGV[2])
return {new, redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', num(now - tonumber(ARGV[3])), 'LIMIT', 0, 10)}
