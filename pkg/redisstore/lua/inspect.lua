#!lua flags=allow-oom
-- Looks at a run in one moment: how it stands, and what around it does not agree
-- with it. If asked to, it puts that right.
-- uses: base
-- KEYS[1] the run
-- KEYS[2] index of the runs that have not ended
-- KEYS[3] index of the completed runs
-- KEYS[4] index of the failed runs
-- KEYS[5] index of the cancelled runs
-- KEYS[6] runs with work left
-- KEYS[7] timers
-- KEYS[8] its state log
-- ARGV[1] run id
-- ARGV[2] 1 to put it right, else 0
-- Returns: {0, {the fields below, nil if not there ...}, {what did not agree ...}}: index (it is not in
-- its own index alone), mark (work is left of it, and no mark), deadline (its timer
-- is gone), state (the log is not as long as it should be: that stays); {2} no such run; {9, type} the key is of a wrong type
local run, mend = ARGV[1], ARGV[2] == '1'
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'none' then return {2} end
if kind ~= 'hash' then return {9, kind} end
local fields = {'status', 'workflow', 'labels', 'failure', 'live', 'parked', 'started', 'ended', 'deadline',
  'created', 'committed', 'failed', 'dropped', 'outs', 'sv', 'sb', 'errs', 'closed', 'undos', 'ends', 'held',
  'purging'}
local R = read_run(KEYS[1], fields)
local h, values, wrong = R.h, {}, {}
for i, name in ipairs(fields) do values[i] = h[name] end
local active = KEYS[2]
local indexes = {running = active, paused = active, undoing = active, completed = KEYS[3], failed = KEYS[4],
  cancelled = KEYS[5]}
local place = indexes[h.status]
local score = place == active and h.started or h.ended
local live, parked, closed = tonumber(h.live), tonumber(h.parked or 0), tonumber(h.closed or 0)
-- Of a run that cannot be read, nothing is to be concluded.
if not place or not h.workflow or not tonumber(score) or not live or not parked or not closed then
  return {0, values, wrong}
end

local member = run .. '|' .. h.workflow
local astray = not redis.call('ZSCORE', place, member)
for _, status in ipairs({'running', 'completed', 'failed', 'cancelled'}) do
  local index = indexes[status]
  if index ~= place and redis.call('ZSCORE', index, member) then
    astray = true
    if mend then redis.call('ZREM', index, member) end
  end
end
if astray then
  wrong[#wrong + 1] = 'index'
  if mend then redis.call('ZADD', place, 'NX', score, member) end
end

local work = h.status == 'undoing' or h.purging or (h.status == 'running' and parked > 0)
  or (h.status == 'cancelled' and live > 0) or (closed > 0 and live > 0)
if work and not redis.call('ZSCORE', KEYS[6], run) then
  wrong[#wrong + 1] = 'mark'
  if mend then redis.call('ZADD', KEYS[6], num(clock()), run) end
end

local timed = tonumber(h.deadline) and (h.status == 'running' or h.status == 'paused')
if timed and not redis.call('ZSCORE', KEYS[7], run .. '/') then
  wrong[#wrong + 1] = 'deadline'
  if mend then redis.call('ZADD', KEYS[7], h.deadline, run .. '/') end
end

local version, folded, length = tonumber(h.sv or 0), tonumber(h.sb or 0), redis.pcall('LLEN', KEYS[8])
if version and folded and type(length) == 'number'
  and length ~= version - folded + (folded > 0 and 1 or 0) then
  wrong[#wrong + 1] = 'state'
end
return {0, values, wrong}
