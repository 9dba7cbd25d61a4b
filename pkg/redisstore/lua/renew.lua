#!lua flags=allow-oom
-- Extends a lease: its idle time starts again.
-- uses: base token late
-- KEYS[1] the run
-- KEYS[2] stream of the lease's queue
-- ARGV[1] token
-- ARGV[2] owner
-- ARGV[3] consumer
-- Returns: 0 renewed, 1 lost, 2 cancelled, 3 renewed but paused, 4 renewed but
-- failed or undoing, 5 too late for its join
local R = open_run(KEYS[1], {'closed'}, 'status', 't:' .. ARGV[1])
if R and R.h.status == 'cancelled' then return 2 end -- also if the token was dropped already
local raw = R and R.h.status and R.h['t:' .. ARGV[1]]
if not raw then return 1 end
local t = read_token(raw)
if not t or t.own ~= ARGV[2] or t.loc ~= 'q' then return 1 end
if late(R, t) then return 5 end
redis.call('XCLAIM', KEYS[2], 'flox', ARGV[3], 0, t.eid, 'JUSTID')
if grants(R, ARGV[1]) then return 0 end
return R.h.status == 'paused' and 3 or 4
