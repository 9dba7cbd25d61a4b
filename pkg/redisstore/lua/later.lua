#!lua flags=allow-oom
-- Commits an item whose token goes on at another node after a delay.
-- uses: base token late fence journal visit
-- KEYS[1] the run
-- KEYS[2] its state log
-- KEYS[3] its history
-- KEYS[4] timers
-- KEYS[5] stream of the lease's queue
-- ARGV[1] run id
-- ARGV[2] token
-- ARGV[3] owner
-- ARGV[4] step
-- ARGV[5] flags: d delta, r record, u undo
-- ARGV[6] state version that was read, or -1
-- ARGV[7] most items the run may commit, or 0
-- ARGV[8] state delta
-- ARGV[9] history record
-- ARGV[10] node of the successor
-- ARGV[11] its queue
-- ARGV[12] its input
-- ARGV[13] what would undo the item
-- ARGV[14] delay in ms
-- Returns: as next.lua, but for {-1, queue}
local run, tok, flags, stream = ARGV[1], ARGV[2], ARGV[5], KEYS[5]
local R = open_run(KEYS[1], {'sv', 'committed', 'failed', 'created', 'closed', 'live'}, 'status', 'kept',
  't:' .. tok, 'i:' .. tok)
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
if has('u') then keep_undo(R, ARGV[13]) end
advance(R, tok, t, ARGV[10], ARGV[11], ARGV[12])
release(t, stream)
delay(run, tok, t, KEYS[4], now + tonumber(ARGV[14]))
put_token(R, tok, t)
save(R)
return done(R, tok, 1)
