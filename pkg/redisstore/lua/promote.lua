#!lua flags=allow-oom
-- Moves one token that is due to its queue: it was delayed, or the time of its
-- wait is over.
-- uses: base token wait
-- KEYS[1] the run
-- KEYS[2] timers
-- KEYS[3...] streams
-- ARGV[1] run id
-- ARGV[2] token
-- ARGV[3...] names of the queues of KEYS[3...]
-- Returns: {0} not due, {1} moved, {2} pointed to nothing; {-1, queue} come again
-- with its stream
local run, tok = ARGV[1], ARGV[2]
local member = run .. '/' .. tok
local due = redis.call('ZSCORE', KEYS[2], member)
if not due or tonumber(due) > clock() then return {0} end
local R = open_run(KEYS[1], {'live', 'dropped', 'parked'}, 'status', 't:' .. tok)
local raw = R and R.h.status and R.h['t:' .. tok]
local t = raw and read_token(raw)
if not t or (t.loc ~= 'd' and t.loc ~= 'w') then
  redis.call('ZREM', KEYS[2], member)
  return {2}
end
local q = streams(3, 3)
if lacks(R, tok, q, t.queue) then return need(t.queue) end
local reply = refuse('XLEN', unpack(KEYS, 3))
if reply then return reply end
if R.h.status == 'cancelled' then
  if t.loc == 'w' then unset(R, 'w:' .. t.wait) end
  drop(R, run, tok, t, nil, KEYS[2])
elseif t.loc == 'w' then
  redis.call('ZREM', KEYS[2], member)
  wake(R, run, tok, t, 'T', q)
else
  redis.call('ZREM', KEYS[2], member)
  t.due = '0'
  place(R, run, tok, t, q)
  put_token(R, tok, t)
end
save(R)
return {1}
