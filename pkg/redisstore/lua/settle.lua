#!lua flags=allow-oom
-- Does a part of what others left to do: queues the parked tokens of a running
-- run, drops those of a cancelled one, those that a run which undoes gives up, and
-- those that came too late for their join. A run that has ended and is to be
-- deleted or restarted (its field purging says which) loses every token first. The
-- mark goes only when the run's counts say that nothing is left, never from what a
-- janitor remembers.
-- uses: base token late status frame closed finish wait
-- KEYS[1] the run
-- KEYS[2] runs with work left
-- KEYS[3] timers
-- KEYS[4] index of the runs that have not ended
-- KEYS[5] index of the completed runs
-- KEYS[6] index of the failed runs
-- KEYS[7] counts by workflow and status
-- KEYS[8...] streams
-- ARGV[1] run id
-- ARGV[2] channel of the status changes
-- ARGV[3...] names of the queues of KEYS[8...]; then tokens
-- Returns: {1 if tokens are left that can be moved, else 0, tokens moved, what the
-- run is purged for, nonce of its start, what ended says if this ended the run};
-- {-1, queue} come again with its stream
local run = ARGV[1]
local q, first = streams(8, 3), 3 + #KEYS - 7
local numbers = {'live', 'created', 'parked', 'dropped', 'closed', 'undos', 'outs', 'ends', 'deadline'}
local fields = {'status', 'need', 'workflow', 'purging', 'born', unpack(numbers)}
for i = first, #ARGV do fields[#fields + 1] = 't:' .. ARGV[i] end
local R = read_run(KEYS[1], fields)
if not R or not R.h.status then
  redis.call('ZREM', KEYS[2], run)
  return {0, 0}
end
local h, frames = R.h, {}
local doomed = h.status == 'cancelled' or h.purging
-- What is to be dropped need not be whole. The rest is left alone.
if not doomed and not is_sound(h, numbers) then return {0, 0} end

local function idle(t) return t.loc ~= 'q' or t.own == '' end

-- fate says what becomes of a token: drop, late or queue, nil to leave it.
local function fate(tok, t)
  if doomed then return 'drop' end
  if h.status == 'undoing' and not undoes(tok) then
    if not idle(t) then return nil end
    -- What was started and lost is done again first, see load.lua, unless it is
    -- late for its join and cannot commit any more.
    local lost = tonumber(t.crash) > 0 and not string.find(t.flags, 'F', 1, true) and not late(R, t)
    return lost and (t.loc == 'p' and 'queue') or not lost and 'drop'
  end
  if late(R, t) then return idle(t) and 'late' end
  return t.loc == 'p' and grants(R, tok) and 'queue'
end

local function requeue(tok, t)
  if string.find(t.flags, 'F', 1, true) then
    t.flags = string.gsub(t.flags, 'F', 'R')
    t.att, t.crash, t.since = '0', '0', ''
  end
  enqueue(R, run, tok, t, q[t.queue])
  put_token(R, tok, t)
end

-- lose drops a token; a signal's list that no signal will read again goes whole.
local function lose(tok, t, too_late)
  drop(R, run, tok, t, q[t.queue], KEYS[3])
  if t.loc == 'w' then
    if too_late then unwait(R, tok, t) else unset(R, 'w:' .. t.wait) end
  end
  if not too_late then return end
  local branches = 1
  -- One that releases a large fan-out stands for those it has not made yet, too.
  if t.rel ~= '0' then branches = t.count - (t.rel - 1) * 256 end
  lower_late(R, frames, t.frame, branches)
end

local function known(raw)
  return read_token(raw) or (doomed and new_token('', '', '', '0', ''))
end

local todo, dropped = {}, 0
for i = first, #ARGV do
  local tok, raw = ARGV[i], h['t:' .. ARGV[i]]
  local t = raw and known(raw)
  local what = t and fate(tok, t)
  if what then
    if (t.loc == 'q' or what == 'queue') and not q[t.queue] then return need(t.queue) end
    todo[#todo + 1] = {tok, t, what}
    if what ~= 'queue' then dropped = dropped + 1 end
  end
end
local open = h.status == 'running' or h.status == 'paused' or h.status == 'undoing'
local over = open and tonumber(h.live) == dropped
local u = over and upcoming(R, 0)
if u and not q[u.queue] then return need(u.queue) end
local at = {active = KEYS[4], completed = KEYS[5], failed = KEYS[6], stats = KEYS[7], delayed = KEYS[3],
  todo = KEYS[2], events = ARGV[2]}
local reply = refuse('XLEN', unpack(KEYS, 8)) or refuse_end(at)
if reply then return reply end
for _, item in ipairs(todo) do
  if item[3] == 'queue' then
    requeue(item[1], item[2])
  else
    lose(item[1], item[2], item[3] == 'late')
  end
end
local now = clock()
if over then
  finish(R, run, now, at, q)
end
save(R)
local left = (h.status == 'running' and tonumber(h.parked or 0) > 0)
  or (doomed and (tonumber(h.live) or 0) > 0)
-- Where all are dropped, closed frames mean nothing any more.
local late = not doomed and tonumber(h.closed or 0) > 0
if not left and not h.purging and h.status ~= 'undoing' and not late then
  redis.call('ZREM', KEYS[2], run)
end
return {left and 1 or 0, #todo, h.purging or '', h.born or '', ended(R)}
