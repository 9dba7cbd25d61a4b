#!lua flags=allow-oom
-- Changes a run's status. What is then left to do with its tokens is marked, for
-- settle.lua. A retry from a node drops them all first: the status changes when
-- that is done, in restart.lua.
-- uses: base token status visit upon
-- KEYS[1] the run
-- KEYS[2] index of the runs that have not ended
-- KEYS[3] index of the cancelled runs
-- KEYS[4] index of the failed runs
-- KEYS[5] counts by workflow and status
-- KEYS[6] runs with work left
-- KEYS[7] timers
-- KEYS[8] its state log
-- ARGV[1] run id
-- ARGV[2] pause, resume, cancel or retry
-- ARGV[3] nonce of the request
-- ARGV[4] channel of the status changes
-- ARGV[5] node to retry from, or nothing
-- ARGV[6] the run's only token, - if none was found, or nothing
-- ARGV[7] what it builds upon, as {5} has told, or nothing to be told, see lib/upon
-- Returns: {0, status, granted} done, now or by this request before; {1, status,
-- granted} refused; {2} no such run; {3, status, granted, why} a retry is refused:
-- 1 no token is left, 2 no visit of the node is kept, 3 steps were undone, 4 the
-- state was folded, 5 another retry from a node is under way; {4} come again with
-- the run's only token; {5, upon} allowed, but nothing was done: come again with what
-- it builds upon now; {9} a key of the run is of a wrong type
local run, op, from = ARGV[1], ARGV[2], ARGV[5]
local numbers = {'live', 'started', 'sv', 'sb', 'deadline'}
local R = read_run(KEYS[1], {'status', 'granted', 'born', 'ctl', 'live', 'workflow', 'started', 'deadline', 'undoing',
  'purging', 'sv', 'sb', 'r:' .. from, 't:' .. ARGV[6]})
if not R then return {9} end
local h = R.h
local status = h.status
-- Whatever its numbers have become, a run can be cancelled.
if not is_sound(h, op == 'cancel' and {} or numbers) then return {9} end
if not status or h.purging == 'delete' then return {2} end
-- ctl holds the nonces of the last 8 requests: a repeat may come after others'.
local nonces = {}
for nonce in string.gmatch(h.ctl or '', '[^ ]+') do nonces[#nonces + 1] = nonce end
for _, nonce in ipairs(nonces) do
  if nonce == ARGV[3] then return {0, status, h.granted or ''} end
end
local allowed = (op == 'pause' and status == 'running') or (op == 'resume' and status == 'paused')
  or (op == 'cancel' and (status == 'running' or status == 'paused' or status == 'undoing'))
  or (op == 'retry' and status == 'failed')
if not allowed then return {1, status, h.granted or ''} end

-- at_visit says whether the run's only token is at the node, as it came there.
local function at_visit()
  if from == '' or tonumber(h.live or 0) ~= 1 or not h['t:' .. ARGV[6]] then return false end
  local t = read_token(h['t:' .. ARGV[6]])
  return t and t.node == from and t.frame == '' and t.from == '' and t.rel == '0' and t.loc ~= 'w'
    and not string.find(t.flags, '[ST]')
end

-- unfit says why a failed run is not retried, nil if it is.
local function unfit()
  if h.purging then return 5 end
  if from == '' then return tonumber(h.live or 0) == 0 and (h.undoing and 3 or 1) or nil end
  if h.undoing then return 3 end
  if at_visit() then return nil end
  local visit = read_visit(h['r:' .. from])
  if not visit then return 2 end
  if visit.sv < tonumber(h.sb or 0) then return 4 end
end

if op == 'retry' then
  if from ~= '' and tonumber(h.live or 0) == 1 and not h['t:' .. ARGV[6]] and ARGV[6] ~= '-' then return {4} end
  local why = unfit()
  if why then return {3, status, h.granted or '', why} end
end
-- What a compaction has cut off, a token that comes to the node gives back.
local found = upon(h, from ~= '' and h.sb or '')
if ARGV[7] ~= found then return {5, found} end
local reply = refuse('ZCARD', KEYS[2], KEYS[3], KEYS[4], KEYS[6], KEYS[7]) or refuse('HLEN', KEYS[5])
if reply then return reply end
local now = clock()
local at = {active = KEYS[2], cancelled = KEYS[3], failed = KEYS[4], stats = KEYS[5], delayed = KEYS[7],
  events = ARGV[4]}
if op == 'retry' then
  if from == '' or at_visit() then
    -- It goes on in the direction in which it failed.
    revive(R, run, h.undoing and 'undoing' or 'running', at)
  else
    if redis.pcall('LRANGE', KEYS[8], 0, 0).err then return {9} end
    set(R, 'purging', 'restart')
    set(R, 'restart', from .. '|' .. h['r:' .. from])
  end
elseif op == 'cancel' then
  end_run(R, run, 'cancelled', '', now, at)
else
  change(R, run, op == 'pause' and 'paused' or 'running', at)
end
nonces[#nonces + 1] = ARGV[3]
set(R, 'ctl', table.concat(nonces, ' ', math.max(1, #nonces - 7)))
if op ~= 'pause' then redis.call('ZADD', KEYS[6], num(now), run) end
save(R)
return {0, h.status, h.granted or ''}
