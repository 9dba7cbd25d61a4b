#!lua
-- Creates a run with one token. A repeat with the same nonce changes nothing.
-- Without allow-oom: a full server takes no new runs.
-- uses: base token
-- KEYS[1] the run
-- KEYS[2] index of the runs that have not ended
-- KEYS[3] counts by workflow and status
-- KEYS[4] timers
-- KEYS[5] stream of the first token's queue
-- ARGV[1] run id
-- ARGV[2] nonce of the request
-- ARGV[3] workflow
-- ARGV[4] fingerprint
-- ARGV[5] node of the first token
-- ARGV[6] its queue
-- ARGV[7] 1 if the run needs an output, else 0
-- ARGV[8] delay in ms
-- ARGV[9] channel of the status changes
-- ARGV[10] input
-- ARGV[11] how long the run may take from when its first token is ready, in ms, or 0
-- ARGV[12] 1 if items of the run may be undone, else 0
-- ARGV[13] when the first token is ready at the earliest, in ms, or 0
-- ARGV[14] labels, or nothing
-- ARGV[15] where the run belongs to in a trace, or nothing
-- Returns: {0} started, now or by this request before; {1, status, granted} the
-- id is taken; {9} the run's key is of a wrong type
local run = ARGV[1]
local R = open_run(KEYS[1], {}, 'status', 'born', 'granted')
if not R then return {9} end
if R.h.status then
  if R.h.born == ARGV[2] then return {0} end
  return {1, R.h.status, R.h.granted or ''}
end
local reply = refuse('ZCARD', KEYS[2], KEYS[4]) or refuse('HLEN', KEYS[3])
if reply then return reply end
local now = clock()
local t = new_token(ARGV[5], ARGV[6], '', '0', '', '0')
local due = math.max(now + tonumber(ARGV[8]), tonumber(ARGV[13]))
if due > now then
  delay(run, '0', t, KEYS[4], due)
else
  enqueue(R, run, '0', t, KEYS[5])
end
put_token(R, '0', t)
if tonumber(ARGV[11]) > 0 then
  local deadline = num(due + tonumber(ARGV[11]))
  set(R, 'deadline', deadline)
  add_timer(KEYS[4], run .. '/', deadline)
end
if ARGV[12] == '1' then set(R, 'undoes', '1') end
if ARGV[14] ~= '' then set(R, 'labels', ARGV[14]) end
if ARGV[15] ~= '' then set(R, 'trace', ARGV[15]) end
redis.call('HSET', KEYS[1], 'status', 'running', 'live', 1, 'created', 1, 'born', ARGV[2],
  'workflow', ARGV[3], 'fingerprint', ARGV[4], 'need', ARGV[7], 'started', num(now),
  'i:0', ARGV[10], unpack(R.puts))
redis.call('ZADD', KEYS[2], num(now), run .. '|' .. ARGV[3])
redis.call('HINCRBY', KEYS[3], ARGV[3] .. ':running', 1)
redis.call('PUBLISH', ARGV[9], run .. ' running')
return {0}
