#!lua flags=allow-oom
-- Fails an item for good, and its run. The token is parked with its place in its
-- frame, so that a retry of the run can go on from it.
-- uses: base token fence journal status
-- KEYS[1] the run
-- KEYS[2] its errors
-- KEYS[3] index of the runs that have not ended
-- KEYS[4] index of the failed runs
-- KEYS[5] counts by workflow and status
-- KEYS[6] stream of the lease's queue
-- ARGV[1] run id
-- ARGV[2] token
-- ARGV[3] owner
-- ARGV[4] step
-- ARGV[5] flags: e error
-- ARGV[6] state version that was read, or -1
-- ARGV[7] attempt of the lease
-- ARGV[8] error record
-- ARGV[9] cause
-- ARGV[10] channel of the status changes
-- Returns: {verdict, 1 if a commit had been applied before, state version,
-- committed}; {9} a key of the run is of a wrong type
local run, tok, stream = ARGV[1], ARGV[2], KEYS[6]
local R = open_run(KEYS[1], {'status', 'sv', 'committed', 'parked', 'errs', 'workflow', 't:' .. tok})
if not R then return {9} end
local t, reply = fence(R, tok, ARGV[3], ARGV[4], stream)
if not t then return reply end
if t.att ~= ARGV[7] then return {3} end
reply = stale(R, tok, t, ARGV[6], stream)
if reply then return reply end
local now = clock()
if not journal(R, nil, nil, KEYS[2], nil, nil, ARGV[5] == 'e' and ARGV[8], now) then return {9} end
t.flags = 'F'
release(t, stream)
park(R, t)
put_token(R, tok, t)
if R.h.status == 'running' or R.h.status == 'paused' then
  end_run(R, run, 'failed', ARGV[9], now, KEYS[3], KEYS[4], KEYS[5], ARGV[10])
end
save(R)
return {1}
