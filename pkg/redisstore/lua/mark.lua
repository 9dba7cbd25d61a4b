#!lua flags=allow-oom
-- Writes something, of which nothing stays: a write that WAIT can wait for.
-- uses: base
-- KEYS[1] a key that nothing else uses
-- Returns: {0}
local reply = refuse('HLEN', KEYS[1])
if reply then return reply end
redis.call('HSET', KEYS[1], 'mark', 1)
redis.call('HDEL', KEYS[1], 'mark')
return {0}
