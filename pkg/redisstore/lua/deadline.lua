#!lua flags=allow-oom
-- Fails a run whose deadline has passed.
-- uses: base journal status
-- KEYS[1] the run
-- KEYS[2] timers
-- KEYS[3] its errors
-- KEYS[4] index of the runs that have not ended
-- KEYS[5] index of the failed runs
-- KEYS[6] counts by workflow and status
-- KEYS[7] runs with work left
-- ARGV[1] run id
-- ARGV[2] cause
-- ARGV[3] error record
-- ARGV[4] channel of the status changes
-- Returns: {0} not due; {1, what ended says if this ended the run} done; {2} pointed
-- to nothing, or a key of the run is of a wrong type
local run = ARGV[1]
local member, now = run .. '/', clock()
local due = redis.call('ZSCORE', KEYS[2], member)
if not due or tonumber(due) > now then return {0} end
local at = {active = KEYS[4], failed = KEYS[5], stats = KEYS[6], delayed = KEYS[2], todo = KEYS[7], events = ARGV[4]}
local reply = refuse_end(at)
if reply then return reply end
redis.call('ZREM', KEYS[2], member)
local R = open_run(KEYS[1], {'undos', 'errs', 'deadline'}, 'status', 'workflow', 'undoes')
if not R or not R.h.deadline then return {2} end
if R.h.status ~= 'running' and R.h.status ~= 'paused' then return {1} end
if not journal(R, nil, nil, KEYS[3], nil, nil, ARGV[3], now) then return {2} end
fail_run(R, run, ARGV[2], ARGV[3], now, at, true)
save(R)
return {1, ended(R)}
