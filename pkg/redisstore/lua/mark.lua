#!lua flags=allow-oom
-- Writes something, of which nothing stays: a write that WAIT can wait for.
-- KEYS[1] a key that nothing else uses
-- Returns: {0}
redis.call('HSET', KEYS[1], 'mark', 1)
redis.call('DEL', KEYS[1])
return {0}
