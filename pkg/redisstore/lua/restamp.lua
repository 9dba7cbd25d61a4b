#!lua flags=allow-oom
-- Lets a lease that seems to have been taken in the future begin now: the clock
-- was set back, and it would not run out until the clock has caught up.
-- KEYS[1] stream
-- ARGV[1] entry
-- ARGV[2] consumer that has it
-- Returns: 1 done, 0 not
local p = redis.call('XPENDING', KEYS[1], 'flox', ARGV[1], ARGV[1], 1)[1]
if not p or p[2] ~= ARGV[2] or p[3] > 0 then return 0 end
redis.call('XCLAIM', KEYS[1], 'flox', ARGV[2], 0, ARGV[1], 'JUSTID')
return 1
