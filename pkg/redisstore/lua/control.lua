#!lua flags=allow-oom
-- Changes a run's status. What is then left to do with its tokens is marked, for
-- settle.lua.
-- uses: base status
-- KEYS[1] the run
-- KEYS[2] index of the runs that have not ended
-- KEYS[3] index of the cancelled runs
-- KEYS[4] index of the failed runs
-- KEYS[5] counts by workflow and status
-- KEYS[6] runs with work left
-- KEYS[7] timers
-- ARGV[1] run id
-- ARGV[2] pause, resume, cancel or retry
-- ARGV[3] nonce of the request
-- ARGV[4] channel of the status changes
-- Returns: {0, status, granted} done, now or by this request before; {1, status,
-- granted} refused; {2} no such run; {9} the run's key is of a wrong type
local run, op = ARGV[1], ARGV[2]
local R = open_run(KEYS[1], {'status', 'granted', 'ctl', 'live', 'workflow', 'started', 'deadline', 'undoing'})
if not R then return {9} end
local h = R.h
local status = h.status
if not status then return {2} end
-- ctl holds the nonces of the last 8 requests: a repeat may come after others'.
local nonces = {}
for nonce in string.gmatch(h.ctl or '', '[^ ]+') do nonces[#nonces + 1] = nonce end
for _, nonce in ipairs(nonces) do
  if nonce == ARGV[3] then return {0, status, h.granted or ''} end
end
local allowed = (op == 'pause' and status == 'running') or (op == 'resume' and status == 'paused')
  or (op == 'cancel' and (status == 'running' or status == 'paused' or status == 'undoing'))
  or (op == 'retry' and status == 'failed' and tonumber(h.live or 0) > 0)
if not allowed then return {1, status, h.granted or ''} end
nonces[#nonces + 1] = ARGV[3]
set(R, 'ctl', table.concat(nonces, ' ', math.max(1, #nonces - 7)))
local now = clock()
local at = {active = KEYS[2], cancelled = KEYS[3], stats = KEYS[5], delayed = KEYS[7], events = ARGV[4]}
if op == 'cancel' then
  end_run(R, run, 'cancelled', '', now, at)
elseif op == 'retry' then
  -- It goes on in the direction in which it failed.
  change(R, run, h.undoing and 'undoing' or 'running', at)
  if not h.undoing then
    unset(R, 'cause')
    unset(R, 'failure')
  end
  unset(R, 'ended')
  unset(R, 'deadline')
  local member = run .. '|' .. h.workflow
  redis.call('ZREM', KEYS[4], member)
  redis.call('ZADD', KEYS[2], h.started, member)
else
  change(R, run, op == 'pause' and 'paused' or 'running', at)
end
if op ~= 'pause' then redis.call('ZADD', KEYS[6], num(now), run) end
save(R)
return {0, h.status, h.granted or ''}
