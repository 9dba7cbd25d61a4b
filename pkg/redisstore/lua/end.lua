#!lua flags=allow-oom
-- Commits an item whose token ends: as an end of the run, or at its frame's join.
-- uses: base token fence journal status frame
-- KEYS[1] the run
-- KEYS[2] its state log
-- KEYS[3] its history
-- KEYS[4] index of the runs that have not ended
-- KEYS[5] index of the completed runs
-- KEYS[6] index of the failed runs
-- KEYS[7] counts by workflow and status
-- KEYS[8...] streams: the lease's queue, then the join's
-- ARGV[1] run id
-- ARGV[2] token
-- ARGV[3] owner
-- ARGV[4] step
-- ARGV[5] flags: d delta, r record, o output, a arrives at the join
-- ARGV[6] state version that was read, or -1
-- ARGV[7] most items the run may commit, or 0
-- ARGV[8] state delta
-- ARGV[9] history record
-- ARGV[10] channel of the status changes
-- ARGV[11] output or deposit
-- ARGV[12...] names of the queues of KEYS[8...]
-- Returns: {verdict, 1 if it had been applied before, state version, committed};
-- {9} a key of the run is of a wrong type; {-1, queue} come again with its stream
local run, tok, flags, stream = ARGV[1], ARGV[2], ARGV[5], KEYS[8]
local q = streams(8, 12)
local R = open_run(KEYS[1], {'status', 'sv', 'committed', 'created', 'live', 'parked', 'outs', 'ends',
  'need', 'workflow', 't:' .. tok})
if not R then return {9} end
local t, reply = fence(R, tok, ARGV[3], ARGV[4], stream)
if not t then return reply end
reply = limited(R, ARGV[7]) or stale(R, tok, t, ARGV[6], stream)
if reply then return reply end
local function has(flag) return string.find(flags, flag, 1, true) end
local f = read_frame(R, t.frame)
if fires(f) and lacks(R, q, f.queue) then return need(f.queue) end
local now = clock()
if not journal(R, KEYS[2], KEYS[3], nil, has('d') and ARGV[8], has('r') and ARGV[9], nil, now) then
  return {9}
end
add(R, 'committed', 1)
if has('a') then
  if f then
    f.arrived = tonumber(f.arrived) + 1
    set(R, 'd:' .. f.id .. ':' .. f.arrived, t.idx .. '|' .. tok .. '|' .. ARGV[11])
  end
else
  add(R, 'ends', 1)
  if has('o') then
    add(R, 'outs', 1)
    set(R, 'o:' .. num(R.h.outs), ARGV[11])
  end
end
consume(R, t)
release(t, stream)
remove(R, tok)
lower(R, run, f, q)
finish(R, run, now, KEYS[4], KEYS[5], KEYS[6], KEYS[7], ARGV[10])
save(R)
return {1}
