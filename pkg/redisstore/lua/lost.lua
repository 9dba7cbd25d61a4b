#!lua flags=allow-oom
-- Tells which tokens have lost their entry or timer; rebuild.lua brings them back.
-- uses: base token
-- KEYS[1] the run
-- KEYS[2] timers
-- KEYS[3...] streams
-- ARGV[1] run id
-- ARGV[2...] names of the queues of KEYS[3...]; then tokens
-- Returns: {0, {tokens}}; {-1, queue} come again with its stream
local run = ARGV[1]
local q, first = streams(3, 2), 2 + #KEYS - 2
local fields = {'status'}
for i = first, #ARGV do fields[#fields + 1] = 't:' .. ARGV[i] end
local R = open_run(KEYS[1], fields)
local h = R and R.h
if not R or (h.status ~= 'running' and h.status ~= 'paused' and h.status ~= 'undoing') then return {0, {}} end
local lost = {}
for i = first, #ARGV do
  local raw = h['t:' .. ARGV[i]]
  local readable, t = pcall(read_token, raw or '')
  if not readable then t = nil end
  if t and t.loc == 'q' then
    if not q[t.queue] then return need(t.queue) end
    if #redis.call('XRANGE', q[t.queue], t.eid, t.eid) == 0 then lost[#lost + 1] = ARGV[i] end
  elseif t and (t.loc == 'd' or (t.loc == 'w' and t.due ~= '0'))
    and not redis.call('ZSCORE', KEYS[2], run .. '/' .. ARGV[i]) then
    lost[#lost + 1] = ARGV[i]
  end
end
return {0, lost}
