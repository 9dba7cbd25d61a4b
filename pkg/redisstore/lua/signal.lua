#!lua
-- Signals a run: the token that has waited longest goes on, or the signal is kept
-- for the first that will wait. Without allow-oom: a full server takes no signals.
-- uses: base token late wait upon
-- KEYS[1] the run
-- KEYS[2] timers
-- KEYS[3...] streams
-- ARGV[1] run id
-- ARGV[2] signal
-- ARGV[3] its id
-- ARGV[4] payload
-- ARGV[5] what it builds upon, as {5} has told, or nothing to be told, see lib/upon
-- ARGV[6...] names of the queues of KEYS[3...]
-- Returns: {0, delivered} done, now or by this signal before: 1 it went to a token,
-- 0 it is kept; {1, status, granted} refused by
-- the status; {2} no such run; {3, status, granted} one is kept already; {5,
-- upon, queue} allowed, but nothing was done: come again with what it builds upon now,
-- and the stream of the queue if one is named; {9} the run's key is of a wrong type;
-- {-1, queue} come again with its stream
local run, name = ARGV[1], ARGV[2]
local last, kept = 'sid:' .. name, 'g:' .. name
local R = open_run(KEYS[1], {'parked', 'closed'}, 'status', 'granted', 'born', 'ctl', 'purging', last, kept,
  'w:' .. name)
if not R then return {9} end
local h = R.h
if not h.status then return {2} end
if h[last] == ARGV[3] then return {0, h[kept] and 0 or 1} end
if h.status ~= 'running' and h.status ~= 'paused' then return {1, h.status, h.granted or ''} end
local tok, t
for waiting in string.gmatch(waiters(R, name), '[^,]+') do
  local raw = redis.call('HGET', KEYS[1], 't:' .. waiting)
  t = raw and read_token(raw)
  -- One that is late Settle drops, and the signal with it; one that is lost doctor
  -- takes off the list.
  if t and not late(R, t) then
    tok = waiting
    break
  end
end
if not tok and h[kept] then return {3, h.status, h.granted or ''} end
local found = upon(h, h[last])
if ARGV[5] ~= found then return {5, found, tok and t.queue or ''} end
if tok then
  local q = streams(3, 6)
  if lacks(R, tok, q, t.queue) then return need(t.queue) end
  local reply = refuse('XLEN', unpack(KEYS, 3)) or refuse('ZCARD', KEYS[2])
  if reply then return reply end
  if t.due ~= '0' then redis.call('ZREM', KEYS[2], run .. '/' .. tok) end
  set(R, 's:' .. tok, ARGV[4])
  wake(R, run, tok, t, 'S', q)
else
  set(R, kept, ARGV[4])
end
set(R, last, ARGV[3])
save(R)
return {0, tok and 1 or 0}
