#!lua flags=allow-oom
-- Does a part of what a resume, retry or cancel left to do: queues parked tokens
-- of a running run, drops the tokens of a cancelled one. The mark goes only when
-- the run's counts say that nothing is left, never from what a janitor remembers.
-- uses: base token
-- KEYS[1] the run
-- KEYS[2] runs with work left
-- KEYS[3] timers
-- KEYS[4...] streams
-- ARGV[1] run id
-- ARGV[2...] names of the queues of KEYS[4...]; then tokens
-- Returns: {1 if work is left, else 0, tokens moved}; {-1, queue} come again with
-- its stream
local run = ARGV[1]
local q, first = streams(4, 2), 2 + #KEYS - 3
local fields = {'status', 'live', 'parked', 'dropped'}
for i = first, #ARGV do fields[#fields + 1] = 't:' .. ARGV[i] end
local R = open_run(KEYS[1], fields)
if not R or not R.h.status then
  redis.call('ZREM', KEYS[2], run)
  return {0, 0}
end
local status, tokens = R.h.status, {}
for i = first, #ARGV do
  local raw = R.h['t:' .. ARGV[i]]
  local t = raw and read_token(raw)
  if t and ((status == 'running' and t.loc == 'p') or status == 'cancelled') then
    if t.loc ~= 'd' and not q[t.queue] then return need(t.queue) end
    tokens[#tokens + 1] = {ARGV[i], t}
  end
end
for _, pair in ipairs(tokens) do
  local tok, t = pair[1], pair[2]
  if status == 'cancelled' then
    drop(R, run, tok, t, q[t.queue], KEYS[3])
  else
    if t.flags ~= '' then t.flags, t.att, t.crash = '', '0', '0' end
    enqueue(R, run, tok, t, q[t.queue])
    put_token(R, tok, t)
  end
end
save(R)
local parked, live = tonumber(R.h.parked or 0), tonumber(R.h.live or 0)
if (status == 'running' and parked > 0) or (status == 'cancelled' and live > 0) then
  return {1, #tokens}
end
redis.call('ZREM', KEYS[2], run)
return {0, #tokens}
