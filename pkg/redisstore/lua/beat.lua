#!lua flags=allow-oom
-- Records that a worker is alive.
-- uses: base
-- KEYS[1] workers by their last beat
-- KEYS[2] the worker
-- ARGV[1] worker id
-- ARGV[2] what it does
-- ARGV[3] ms after which a silent worker is forgotten
-- Returns: {ids of workers to forget}
local now = clock()
redis.call('ZADD', KEYS[1], num(now), ARGV[1])
redis.call('HSET', KEYS[2], 'info', ARGV[2])
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', num(now - tonumber(ARGV[3])), 'LIMIT', 0, 10)
