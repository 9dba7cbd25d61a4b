#!lua flags=allow-oom
-- Commits an item that leaves what it has at the join of its frame, or of one
-- further out, which fires at once: what else stands in that frame is too late.
-- uses: base token late fence journal status frame closed finish
-- KEYS[1] the run
-- KEYS[2] its state log
-- KEYS[3] its history
-- KEYS[4] index of the runs that have not ended
-- KEYS[5] index of the completed runs
-- KEYS[6] index of the failed runs
-- KEYS[7] counts by workflow and status
-- KEYS[8] timers
-- KEYS[9] runs with work left
-- KEYS[10] its errors
-- KEYS[11...] streams: the lease's queue, then the join's, then that of what is
-- undone next
-- ARGV[1] run id
-- ARGV[2] token
-- ARGV[3] owner
-- ARGV[4] step
-- ARGV[5] flags: d delta, r record, e error, b to the fallback, u undo
-- ARGV[6] state version that was read, or -1
-- ARGV[7] most items the run may commit, or 0
-- ARGV[8] state delta
-- ARGV[9] history record
-- ARGV[10] channel of the status changes
-- ARGV[11] deposit
-- ARGV[12] what would undo the item
-- ARGV[13] how many frames outside the token's own
-- ARGV[14] error record
-- ARGV[15...] names of the queues of KEYS[11...]
-- Returns: as end.lua
local run, tok, flags, stream = ARGV[1], ARGV[2], ARGV[5], KEYS[11]
local q = streams(11, 15)
local R = open_run(KEYS[1], {'sv', 'committed', 'created', 'live', 'parked', 'outs', 'ends', 'failed', 'errs',
  'closed', 'undos', 'deadline'}, 'status', 'need', 'workflow', 't:' .. tok)
if not R then return {9} end
local t, reply = fence(R, tok, ARGV[3], ARGV[4], stream)
if not t then return reply end
local function has(flag) return string.find(flags, flag, 1, true) end
reply = not has('b') and limited(R, ARGV[7]) or stale(R, tok, t, ARGV[6], stream)
if reply then return reply end
count(R, has('b'))
if has('u') then keep_undo(R, ARGV[12]) end
local own = read_frame(R, t.frame)
local f, idx = own, t.idx
for _ = 1, tonumber(ARGV[13]) do
  if not f then break end
  f, idx = read_frame(R, f.parent), f.pidx
end
if R.spoilt then return {9} end
local closes = f and R.h.status ~= 'undoing'
local join = closes and f or (fires(R, own) and own)
if join and lacks(R, tok, q, join.queue) then return need(join.queue) end
local u = upcoming(R, R.h.live - (join and 0 or 1))
if u and not q[u.queue] then return need(u.queue) end
local at = {active = KEYS[4], completed = KEYS[5], failed = KEYS[6], stats = KEYS[7], delayed = KEYS[8],
  todo = KEYS[9], events = ARGV[10]}
reply = refuse('XLEN', unpack(KEYS, 11)) or refuse_end(at)
if reply then return reply end
local now = clock()
if not journal(R, KEYS[2], KEYS[3], KEYS[10], has('d') and ARGV[8], has('r') and ARGV[9],
  has('e') and ARGV[14], now) then return {9} end
consume(R, t)
release(t, stream)
remove(R, tok, t)
local closed = false
if closes then
  arrive(R, f, idx, tok, t, ARGV[11])
  f.need = 'x'
  add(R, 'closed', 1)
  fire(R, run, f, q)
  put_frame(R, f)
  lower_late(R, {[f.id] = f}, t.frame, 1)
  closed = tonumber(f.live) > 0
  if closed then close_news(R, run, now, at) end
else
  lower(R, run, own, q)
end
finish(R, run, now, at, q)
save(R)
return done(R, tok, 1, closed)
