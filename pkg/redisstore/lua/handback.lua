#!lua flags=allow-oom
-- Gives a token back unexecuted: at once, or later if the worker does not know
-- its node.
-- uses: base token late fence
-- KEYS[1] the run
-- KEYS[2] timers
-- KEYS[3] stream of the lease's queue
-- ARGV[1] run id
-- ARGV[2] token
-- ARGV[3] owner
-- ARGV[4] step, -1 if it is not known
-- ARGV[5] 1 if the node is unknown, else 0
-- Returns: {verdict, 1 if a commit had been applied before, state version,
-- committed}; {9} the run's key is of a wrong type
local run, tok, stream = ARGV[1], ARGV[2], KEYS[3]
local R = open_run(KEYS[1], {'sv', 'committed', 'parked', 'closed'}, 'status', 't:' .. tok)
if not R then return {9} end
local t, reply = fence(R, tok, ARGV[3], ARGV[4] ~= '-1' and ARGV[4] or nil, stream)
if not t then return reply end
reply = refuse('XLEN', stream) or refuse('ZCARD', KEYS[2])
if reply then return reply end
release(t, stream)
local verdict = 1
if ARGV[5] == '1' then
  local wait = math.min(500 * 2 ^ math.min(tonumber(t.bounces), 16), 60000)
  t.bounces = tonumber(t.bounces) + 1
  delay(run, tok, t, KEYS[2], clock() + wait)
else
  verdict = place(R, run, tok, t, {[t.queue] = stream})
end
put_token(R, tok, t)
save(R)
return {verdict}
