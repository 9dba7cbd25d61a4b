#!lua flags=allow-oom
-- Measures a queue.
-- uses: base
-- KEYS[1] stream
-- Returns: {entries, pending entries, ms since the oldest was added}
local entries = redis.call('XLEN', KEYS[1])
if entries == 0 then return {0, 0, 0} end
local pending = redis.pcall('XPENDING', KEYS[1], 'flox')
local oldest = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1][1]
local leased = 0
-- Without a group nobody has claimed anything yet.
if not pending.err then leased = tonumber(pending[1]) end
return {entries, leased, math.max(0, clock() - tonumber(string.match(oldest, '^(%d+)')))}
