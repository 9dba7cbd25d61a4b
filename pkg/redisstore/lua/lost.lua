#!lua flags=allow-oom
-- Tells which tokens have lost their entry or timer, which rebuild.lua brings back,
-- and which their input.
-- uses: base token
-- KEYS[1] the run
-- KEYS[2] timers
-- KEYS[3...] streams
-- ARGV[1] run id
-- ARGV[2...] names of the queues of KEYS[3...]; then tokens
-- Returns: {0, {tokens without entry or timer}, {tokens without input}}; {-1, queue} come again with its stream
local run = ARGV[1]
local q, first = streams(3, 2), 2 + #KEYS - 2
local fields = {'status'}
for i = first, #ARGV do fields[#fields + 1] = 't:' .. ARGV[i] end
local R = read_run(KEYS[1], fields)
local h = R and R.h
local lost, bare = {}, {}
if not R or not h.status or h.status == 'completed' or h.status == 'cancelled' then return {0, lost, bare} end

local function gone(tok, t)
  if t.loc == 'q' then return #redis.call('XRANGE', q[t.queue], t.eid, t.eid) == 0 end
  return (t.loc == 'd' or (t.loc == 'w' and t.due ~= '0'))
    and not redis.call('ZSCORE', KEYS[2], run .. '/' .. tok)
end

for i = first, #ARGV do
  local tok = ARGV[i]
  local t = read_token(h['t:' .. tok] or '')
  if t and t.loc == 'q' and not q[t.queue] then return need(t.queue) end
  if t and h.status ~= 'failed' and gone(tok, t) then lost[#lost + 1] = tok end
  -- A join's input are its deposits, that of a fan-out under way stands in parts.
  if t and t.from == '' and t.rel == '0' and redis.call('HEXISTS', KEYS[1], 'i:' .. tok) == 0 then
    bare[#bare + 1] = tok
  end
end
return {0, lost, bare}
