#!lua flags=allow-oom
-- Commits an item whose token goes on at another node: the hot path.
-- uses: base token late fence journal visit
-- KEYS[1] the run
-- KEYS[2] its state log
-- KEYS[3] its history
-- KEYS[4] its errors
-- KEYS[5...] streams: the lease's queue, then others
-- ARGV[1] run id
-- ARGV[2] token
-- ARGV[3] owner
-- ARGV[4] step
-- ARGV[5] flags: d delta, r record, e error, k keep, b to the fallback, u undo
-- ARGV[6] state version that was read, or -1
-- ARGV[7] most items the run may commit, or 0
-- ARGV[8] state delta
-- ARGV[9] history record
-- ARGV[10] error record
-- ARGV[11] node of the successor
-- ARGV[12] its queue
-- ARGV[13] its input
-- ARGV[14] what would undo the item
-- ARGV[15...] names of the queues of KEYS[5...]
-- Returns: {verdict, 1 if it had been applied before, state version, committed, 1
-- if it left work for settle.lua}; {9} a key of the run is of a wrong type;
-- {-1, queue} come again with its stream
local run, tok, flags, stream = ARGV[1], ARGV[2], ARGV[5], KEYS[5]
local q = streams(5, 15)
local R = open_run(KEYS[1], {'sv', 'committed', 'failed', 'created', 'closed', 'live'}, 'status', 'kept',
  't:' .. tok, 'i:' .. tok)
if not R then return {9} end
local t, reply = fence(R, tok, ARGV[3], ARGV[4], stream)
if not t then return reply end
local function has(flag) return string.find(flags, flag, 1, true) end
reply = not has('b') and limited(R, ARGV[7]) or stale(R, tok, t, ARGV[6], stream)
if reply then return reply end
local keep = has('k') and ARGV[12] == t.queue
if lacks(R, tok, q, ARGV[12]) then return need(ARGV[12]) end
reply = not (keep and grants(R, tok)) and refuse('XLEN', stream, q[ARGV[12]])
if reply then return reply end
local visit = visit_of(R, tok, t)
count(R, has('b'))
if not journal(R, KEYS[2], KEYS[3], KEYS[4], has('d') and ARGV[8], has('r') and ARGV[9],
  has('e') and ARGV[10], clock()) then return {9} end
put_visit(R, t.node, visit)
if has('u') then keep_undo(R, ARGV[14]) end
advance(R, tok, t, ARGV[11], ARGV[12], ARGV[13])
return go_on(R, run, tok, t, keep, stream, q)
