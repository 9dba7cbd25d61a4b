#!lua flags=allow-oom
-- Commits an item whose token ends: as an end of the run, at its frame's join, or
-- held.
-- uses: base token late fence journal status frame hold finish visit
-- KEYS[1] the run
-- KEYS[2] its state log
-- KEYS[3] its history
-- KEYS[4] index of the runs that have not ended
-- KEYS[5] index of the completed runs
-- KEYS[6] index of the failed runs
-- KEYS[7] counts by workflow and status
-- KEYS[8] timers
-- KEYS[9] runs with work left
-- KEYS[10...] streams: the lease's queue, then the join's, then that of what is
-- undone next
-- ARGV[1] run id
-- ARGV[2] token
-- ARGV[3] owner
-- ARGV[4] step
-- ARGV[5] flags: d delta, r record, o output, a arrives at the join, h held, u undo
-- ARGV[6] state version that was read, or -1
-- ARGV[7] most items the run may commit, or 0
-- ARGV[8] state delta
-- ARGV[9] history record
-- ARGV[10] channel of the status changes
-- ARGV[11] output or deposit
-- ARGV[12] what would undo the item
-- ARGV[13...] names of the queues of KEYS[10...]
-- Returns: {verdict, 1 if it had been applied before, state version, committed, 1
-- if it left work for settle.lua, how the run ended if this ended it, ms that it
-- lasted}; {9} a key of the run is of a wrong type;
-- {-1, queue} come again with its stream
local run, tok, flags, stream = ARGV[1], ARGV[2], ARGV[5], KEYS[10]
local q = streams(10, 13)
local R = open_run(KEYS[1], {'sv', 'committed', 'failed', 'created', 'live', 'outs', 'ends', 'closed',
  'undos', 'deadline'}, 'status', 'need', 'workflow', 'kept', 't:' .. tok, 'i:' .. tok)
if not R then return {9} end
local t, reply = fence(R, tok, ARGV[3], ARGV[4], stream)
if not t then return reply end
local function has(flag) return string.find(flags, flag, 1, true) end
reply = limited(R, ARGV[7]) or stale(R, tok, t, ARGV[6], stream, has('h'))
if reply then return reply end
local visit = visit_of(R, tok, t)
-- All that is counted in memory comes first, so that what it leads to is known.
count(R)
if has('u') then keep_undo(R, ARGV[12]) end
local f = read_frame(R, t.frame)
if R.spoilt then return {9} end
if has('a') then
  if f then arrive(R, f, t.idx, tok, t, ARGV[11]) end
elseif has('h') then
  hold(R, t.node)
elseif not undoes(tok) then
  add(R, 'ends', 1)
end
if has('o') then
  add(R, 'outs', 1)
  set(R, 'o:' .. num(R.h.outs), ARGV[11])
end
local joins = fires(R, f, has('a'))
if joins and lacks(R, tok, q, f.queue) then return need(f.queue) end
local u = upcoming(R, R.h.live - (joins and 0 or 1))
if u and not q[u.queue] then return need(u.queue) end
local at = {active = KEYS[4], completed = KEYS[5], failed = KEYS[6], stats = KEYS[7], delayed = KEYS[8],
  todo = KEYS[9], events = ARGV[10]}
local left = R.h.live - (joins and 0 or 1)
reply = refuse('XLEN', unpack(KEYS, 10)) or ((left == 0 or (joins and f.live ~= '1')) and refuse_end(at))
if reply then return reply end
local now = clock()
if not journal(R, KEYS[2], KEYS[3], nil, has('d') and ARGV[8], has('r') and ARGV[9], nil, now) then
  return {9}
end
consume(R, t)
release(t, stream)
remove(R, tok, t)
local closed = lower(R, run, f, q, has('a'))
if closed then close_news(R, run, now, at) end
finish(R, run, now, at, q)
put_visit(R, t.node, visit)
save(R)
return done(R, tok, 1, closed)
