#!lua flags=allow-oom
-- Records a failed attempt and lets the token wait for the next.
-- uses: base token late fence journal
-- KEYS[1] the run
-- KEYS[2] its errors
-- KEYS[3] timers
-- KEYS[4] stream of the lease's queue
-- ARGV[1] run id
-- ARGV[2] token
-- ARGV[3] owner
-- ARGV[4] step
-- ARGV[5] flags: e error
-- ARGV[6] state version that was read, or -1
-- ARGV[7] attempt of the lease
-- ARGV[8] error record
-- ARGV[9] delay in ms
-- ARGV[10] how long the attempt took, in ms
-- Returns: {verdict, 1 if a commit had been applied before, state version,
-- committed, 1 if it left work for settle.lua}; {9} a key of the run is of a wrong
-- type
local run, tok, stream = ARGV[1], ARGV[2], KEYS[4]
local R = open_run(KEYS[1], {'sv', 'committed', 'parked', 'errs', 'closed'}, 'status', 't:' .. tok)
if not R then return {9} end
local t, reply = fence(R, tok, ARGV[3], ARGV[4], stream)
if not t then return reply end
if t.att ~= ARGV[7] then return {3} end
reply = stale(R, tok, t, ARGV[6], stream)
if reply then return reply end
reply = refuse('XLEN', stream) or refuse('ZCARD', KEYS[3])
if reply then return reply end
local now = clock()
if not journal(R, nil, nil, KEYS[2], nil, nil, ARGV[5] == 'e' and ARGV[8], now) then return {9} end
t.att = tonumber(t.att) + 1
if t.since == '' then t.since = num(now - tonumber(ARGV[10])) end
release(t, stream)
delay(run, tok, t, KEYS[3], now + tonumber(ARGV[9]))
put_token(R, tok, t)
save(R)
return done(R, tok, 1)
