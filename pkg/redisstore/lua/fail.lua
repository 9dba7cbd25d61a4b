#!lua flags=allow-oom
-- Fails an item for good, and its run. The token is parked with its place in its
-- frame, so that a retry of the run can go on from it. A run with something to
-- undo undoes it first; if that fails, what is left of it stays.
-- uses: base token late fence journal status
-- KEYS[1] the run
-- KEYS[2] its errors
-- KEYS[3] index of the runs that have not ended
-- KEYS[4] index of the failed runs
-- KEYS[5] counts by workflow and status
-- KEYS[6] timers
-- KEYS[7] runs with work left
-- KEYS[8] stream of the lease's queue
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
-- committed, 1 if it left work for settle.lua, how the run ended if this ended it,
-- ms that it lasted}; {9} a key of the run is of a wrong type
local run, tok, stream = ARGV[1], ARGV[2], KEYS[8]
local R = open_run(KEYS[1], {'sv', 'committed', 'parked', 'errs', 'closed', 'undos', 'live', 'deadline'},
  'status', 'workflow', 'undoes', 'cause', 't:' .. tok)
if not R then return {9} end
local t, reply = fence(R, tok, ARGV[3], ARGV[4], stream)
if not t then return reply end
if t.att ~= ARGV[7] then return {3} end
reply = stale(R, tok, t, ARGV[6], stream)
if reply then return reply end
local at = {active = KEYS[3], failed = KEYS[4], stats = KEYS[5], delayed = KEYS[6], todo = KEYS[7],
  events = ARGV[10]}
reply = refuse('XLEN', stream) or refuse_end(at)
if reply then return reply end
local now, err = clock(), ARGV[5] == 'e' and ARGV[8]
if not journal(R, nil, nil, KEYS[2], nil, nil, err, now) then return {9} end
t.flags = t.flags .. 'F'
release(t, stream)
park(R, t)
put_token(R, tok, t)
if undoes(tok) then
  end_run(R, run, 'failed', (R.h.cause or '') .. '; ' .. ARGV[9], now, at)
elseif R.h.status == 'running' or R.h.status == 'paused' then
  fail_run(R, run, ARGV[9], err, now, at, tonumber(R.h.live) > 1)
end
save(R)
return done(R, tok, 1)
