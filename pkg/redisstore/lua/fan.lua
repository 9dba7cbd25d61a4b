#!lua flags=allow-oom
-- Commits an item that fans out. The token goes on as branch 0; the others are
-- made beside it, or stored in blobs if there are too many for one script.
-- uses: base token late fence journal status frame branches finish visit
-- KEYS[1] the run
-- KEYS[2] its state log
-- KEYS[3] its history
-- KEYS[4] index of the runs that have not ended
-- KEYS[5] index of the completed runs
-- KEYS[6] index of the failed runs
-- KEYS[7] counts by workflow and status
-- KEYS[8] timers
-- KEYS[9] runs with work left
-- KEYS[10...] streams: the lease's queue, then others
-- ARGV[1] run id
-- ARGV[2] token
-- ARGV[3] owner
-- ARGV[4] step
-- ARGV[5] flags: d delta, r record, k keep, f opens a frame, c carry, s scope, l
-- large, u undo
-- ARGV[6] state version that was read, or -1
-- ARGV[7] most items the run may commit, or 0
-- ARGV[8] state delta
-- ARGV[9] history record
-- ARGV[10] channel of the status changes
-- ARGV[11] node of branch 0
-- ARGV[12] its queue
-- ARGV[13] its input
-- ARGV[14] number of branches
-- ARGV[15] join of the frame
-- ARGV[16] its queue
-- ARGV[17] what the join gets besides
-- ARGV[18] how many arrivals fire it, or 0 for all
-- ARGV[19] ms until the branches are ready
-- ARGV[20] what would undo the item
-- ARGV[21...] names of the queues of KEYS[10...]; then the blobs, or node, queue
-- and input of each branch
-- Returns: {verdict, 1 if it had been applied before, state version, committed, 1
-- if it left work for settle.lua, how the run ended if this ended it, ms that it
-- lasted}; {9} a key of the run is of a wrong type;
-- {-1, queue} come again with its stream
local run, tok, flags, stream, size = ARGV[1], ARGV[2], ARGV[5], KEYS[10], tonumber(ARGV[14])
local q, rest = streams(10, 21), 21 + #KEYS - 9
local R = open_run(KEYS[1], {'sv', 'committed', 'failed', 'created', 'live', 'outs', 'ends', 'closed',
  'undos', 'deadline'}, 'status', 'need', 'workflow', 'kept', 't:' .. tok, 'i:' .. tok)
if not R then return {9} end
local t, reply = fence(R, tok, ARGV[3], ARGV[4], stream)
if not t then return reply end
reply = limited(R, ARGV[7]) or stale(R, tok, t, ARGV[6], stream)
if reply then return reply end
local function has(flag) return string.find(flags, flag, 1, true) end
local visit = visit_of(R, tok, t)
-- All that is counted in memory comes first, so that what it leads to is known.
count(R)
if has('u') then keep_undo(R, ARGV[20]) end
local now = clock()
local due = size > 0 and tonumber(ARGV[19]) > 0 and now + tonumber(ARGV[19])
local outer = not has('f') and read_frame(R, t.frame) or nil
if R.spoilt then return {9} end
local joins = size == 0 and (has('f') and R.h.status ~= 'undoing' or fires(R, outer))
local missing, u
if size > 0 then
  missing = not due and (lacks(R, tok, q, ARGV[12]) and ARGV[12] or (not has('l') and lacking(R, tok, q, rest)))
else
  if not has('f') then add(R, 'ends', 1) end
  local join = has('f') and ARGV[16] or (outer and outer.queue)
  missing = joins and lacks(R, tok, q, join) and join
  u = upcoming(R, R.h.live - (joins and 0 or 1))
end
missing = missing or (u and not q[u.queue] and u.queue)
if missing then return need(missing) end
local at = {active = KEYS[4], completed = KEYS[5], failed = KEYS[6], stats = KEYS[7], delayed = KEYS[8],
  todo = KEYS[9], events = ARGV[10]}
reply = refuse('XLEN', unpack(KEYS, 10)) or (due and refuse('ZCARD', KEYS[8])) or (size == 0 and refuse_end(at))
if reply then return reply end
if not journal(R, KEYS[2], KEYS[3], nil, has('d') and ARGV[8], has('r') and ARGV[9], nil, now) then
  return {9}
end
local origin, queue, f = t.step, t.queue, nil
if has('f') then
  f = {id = short(tok .. '.' .. origin), live = size, n = size, join = ARGV[15], queue = ARGV[16],
    parent = t.frame, pidx = t.idx, arrived = 0, carry = has('c') and 1 or 0, need = ARGV[18],
    scope = t.scope, rest = ''}
  if has('c') then set(R, 'c:' .. f.id, ARGV[17]) end
end
if size == 0 then
  consume(R, t)
  release(t, stream)
  remove(R, tok, t)
  if f then fire(R, run, f, q) else lower(R, run, outer, q) end
  finish(R, run, now, at, q)
  put_visit(R, t.node, visit)
  save(R)
  return done(R, tok, 1)
end
put_visit(R, t.node, visit)
if f then
  put_frame(R, f)
  t.frame, t.idx = f.id, 0
  if has('s') then t.scope = f.id end
elseif outer then
  outer.live = outer.live + size - 1
  put_frame(R, outer)
end
advance(R, tok, t, ARGV[11], ARGV[12], ARGV[13])
if has('l') then
  for i = rest, #ARGV do set(R, 'b:' .. tok .. ':' .. num(i - rest + 1), ARGV[i]) end
  t.rel, t.chunks, t.origin, t.framed = '1', num(#ARGV - rest + 1), origin, f and '1' or '0'
  t.count = num(size) -- until all are released
else
  make_branches(R, run, tok, t, origin, 1, f, q, rest, KEYS[8], due)
end
if not due then return go_on(R, run, tok, t, has('k') and not has('l') and ARGV[12] == queue, stream, q) end
release(t, stream)
delay(run, tok, t, KEYS[8], due)
put_token(R, tok, t)
save(R)
return done(R, tok, 1)
