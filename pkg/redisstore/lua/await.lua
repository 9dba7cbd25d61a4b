#!lua flags=allow-oom
-- Commits an item whose token waits for a signal. If one was kept, it goes on.
-- uses: base token late fence journal wait visit
-- KEYS[1] the run
-- KEYS[2] its state log
-- KEYS[3] its history
-- KEYS[4] timers
-- KEYS[5] stream of the lease's queue
-- ARGV[1] run id
-- ARGV[2] token
-- ARGV[3] owner
-- ARGV[4] step
-- ARGV[5] flags: d delta, r record, k keep
-- ARGV[6] state version that was read, or -1
-- ARGV[7] most items the run may commit, or 0
-- ARGV[8] state delta
-- ARGV[9] history record
-- ARGV[10] what is carried to the answer
-- ARGV[11] signal
-- ARGV[12] how long to wait at most, in ms, or 0
-- Returns: as next.lua, but for {-1, queue}
local run, tok, flags, stream, name = ARGV[1], ARGV[2], ARGV[5], KEYS[5], ARGV[11]
local R = open_run(KEYS[1], {'sv', 'committed', 'failed', 'created', 'closed', 'live'}, 'status', 'kept',
  'g:' .. name, 'w:' .. name, 't:' .. tok, 'i:' .. tok)
if not R then return {9} end
local t, reply = fence(R, tok, ARGV[3], ARGV[4], stream)
if not t then return reply end
reply = limited(R, ARGV[7]) or stale(R, tok, t, ARGV[6], stream)
if reply then return reply end
reply = refuse('XLEN', stream) or refuse('ZCARD', KEYS[4])
if reply then return reply end
local visit = visit_of(R, tok, t)
count(R)
local function has(flag) return string.find(flags, flag, 1, true) end
local now = clock()
if not journal(R, KEYS[2], KEYS[3], nil, has('d') and ARGV[8], has('r') and ARGV[9], nil, now) then
  return {9}
end
put_visit(R, t.node, visit)
local kept = R.h['g:' .. name]
if kept then t.flags = '' end -- the answer that led here is replaced, not deleted
advance(R, tok, t, t.node, t.queue, ARGV[10])
if kept then
  unset(R, 'g:' .. name)
  set(R, 's:' .. tok, kept)
  t.flags = 'S'
  return go_on(R, run, tok, t, has('k'), stream, {[t.queue] = stream})
end
release(t, stream)
if tonumber(ARGV[12]) > 0 then delay(run, tok, t, KEYS[4], now + tonumber(ARGV[12])) end
t.loc = 'w'
t.wait = name
local before = waiters(R, name)
put_waiters(R, name, before == '' and tok or before .. ',' .. tok)
put_token(R, tok, t)
save(R)
return done(R, tok, 1)
