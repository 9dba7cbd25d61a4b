#!lua flags=allow-oom
-- Queues tokens again whose entry or timer is gone: it was lost with a part of
-- the server's data.
-- uses: base token
-- KEYS[1] the run
-- KEYS[2] timers
-- KEYS[3...] streams
-- ARGV[1] run id
-- ARGV[2...] names of the queues of KEYS[3...]; then tokens
-- Returns: {0, tokens queued again}; {-1, queue} come again with its stream
local run = ARGV[1]
local q, first = streams(3, 2), 2 + #KEYS - 2
local fields = {'status'}
for i = first, #ARGV do fields[#fields + 1] = 't:' .. ARGV[i] end
local R = open_run(KEYS[1], {'parked', 'deadline'}, unpack(fields))
local h = R and R.h
if not R or (h.status ~= 'running' and h.status ~= 'paused' and h.status ~= 'undoing') then return {0, 0} end
local reply = refuse('ZCARD', KEYS[2])
if reply then return reply end
local tokens = {}
for i = first, #ARGV do
  local raw = h['t:' .. ARGV[i]]
  local t = raw and read_token(raw)
  if t and t.loc == 'q' and not q[t.queue] then return need(t.queue) end
  if t then tokens[#tokens + 1] = {ARGV[i], t} end
end
local count = 0
for _, pair in ipairs(tokens) do
  local tok, t = pair[1], pair[2]
  if t.loc == 'q' and #redis.call('XRANGE', q[t.queue], t.eid, t.eid) == 0 then
    enqueue(R, run, tok, t, q[t.queue])
    put_token(R, tok, t)
    count = count + 1
  elseif (t.loc == 'd' or (t.loc == 'w' and t.due ~= '0'))
    and not redis.call('ZSCORE', KEYS[2], run .. '/' .. tok) then
    redis.call('ZADD', KEYS[2], t.due, run .. '/' .. tok)
    count = count + 1
  end
end
-- A deadline is no token and is not counted.
if h.deadline and h.status ~= 'undoing' then redis.call('ZADD', KEYS[2], 'NX', h.deadline, run .. '/') end
save(R)
return {0, count}
