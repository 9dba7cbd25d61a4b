#!lua flags=allow-oom
-- Deletes a consumer from its stream if it has no pending entry: those would be
-- lost with it for ever.
-- KEYS[1] stream
-- ARGV[1] consumer
-- Returns: 1 deleted, 0 not
local pending = redis.pcall('XPENDING', KEYS[1], 'flox', '-', '+', 1, ARGV[1])
if pending.err or #pending > 0 then return 0 end
redis.call('XGROUP', 'DELCONSUMER', KEYS[1], 'flox', ARGV[1])
return 1
