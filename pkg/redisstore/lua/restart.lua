#!lua flags=allow-oom
-- Starts a failed run again at a node, as it stood when it last came there alone:
-- the last part of a retry from that node, when no token of the run is left.
-- uses: base token status visit
-- KEYS[1] the run
-- KEYS[2] its state log
-- KEYS[3] index of the runs that have not ended
-- KEYS[4] index of the failed runs
-- KEYS[5] counts by workflow and status
-- KEYS[6] runs with work left
-- KEYS[7...] streams: that of the node's queue
-- ARGV[1] run id
-- ARGV[2] channel of the status changes
-- ARGV[3] 1 if these are the last fields of the run that tokens have left, else 0
-- ARGV[4...] names of the queues of KEYS[7...]; then those fields
-- Returns: {0} done, or there is nothing to do; {9} a key of the run is of a wrong
-- type; {-1, queue} come again with its stream
local run = ARGV[1]
local q, first = streams(7, 4), 4 + #KEYS - 6
local R = open_run(KEYS[1], {'live', 'created', 'sv', 'sb', 'gen', 'started'}, 'status', 'purging', 'restart',
  'kept', 'workflow')
if not R then return {9} end
local h = R.h
if h.status ~= 'failed' or h.purging ~= 'restart' or tonumber(h.live) > 0 then return {0} end
local node, raw = string.match(h.restart or '', '^([^|]*)|(.*)$')
local visit = read_visit(raw)
if not visit then return {9} end

-- What tokens leave in a run: frames, their carries and deposits, blobs; outputs
-- are kept up to those that were there before the visit.
for i = first, #ARGV do
  local kind, number = string.match(ARGV[i], '^(%l+):(%d*)')
  if kind ~= 'o' or (tonumber(number) or 0) > tonumber(visit.outs) then unset(R, ARGV[i]) end
end
if ARGV[3] == '0' then
  save(R)
  return {0}
end
if not q[visit.queue] then return need(visit.queue) end

-- cut_back ends the state log where it ended before the visit, and returns by how
-- much the versions of what is left of it have grown, nil if it is no list. Who has
-- read any version must read it all again: the numbers go on behind the newest, and
-- without a snapshot an empty one takes its place.
local function cut_back()
  local newest, folded = tonumber(h.sv or 0), tonumber(h.sb or 0)
  if visit.sv >= newest then return 0 end
  local left, snapshot = visit.sv - folded, folded > 0 and 1 or 0
  local last = left + snapshot - 1
  if redis.pcall('LTRIM', KEYS[2], last < 0 and 1 or 0, num(math.max(last, 0))).err then return nil end
  if snapshot == 0 then redis.call('LPUSH', KEYS[2], '') end
  set(R, 'sb', num(newest + 1))
  set(R, 'sv', num(newest + 1 + left))
  return newest + 1 - folded
end

-- keep_earlier keeps this visit and those before it, and forgets what came after.
local function keep_earlier(shift)
  local kept = {}
  for name in string.gmatch(h.kept or '', '[^,]+') do
    local v = name == node and visit or read_visit(redis.call('HGET', KEYS[1], 'r:' .. name))
    if v and v.order <= visit.order then
      kept[#kept + 1] = name
      if shift > 0 or name == node then
        set(R, 'r:' .. name, pack_visit(v.order, v.queue, num(v.sv + shift), v.outs, v.ends, v.holds, v.input))
      end
    else
      unset(R, 'r:' .. name)
    end
  end
  set(R, 'kept', table.concat(kept, ','))
end

local reply = refuse('XLEN', unpack(KEYS, 7)) or refuse('ZCARD', KEYS[3], KEYS[4], KEYS[6]) or refuse('HLEN', KEYS[5])
if reply then return reply end
local shift = cut_back()
if not shift then return {9} end
keep_earlier(shift)
set(R, 'outs', visit.outs)
set(R, 'ends', visit.ends)
if visit.holds == '' then unset(R, 'holds') else set(R, 'holds', visit.holds) end
for _, field in ipairs({'closed', 'purging', 'restart'}) do unset(R, field) end
redis.call('ZREM', KEYS[6], run)
revive(R, run, 'running', {active = KEYS[3], failed = KEYS[4], stats = KEYS[5], events = ARGV[2]})
add(R, 'gen', 1)
local tok = 'r' .. num(R.h.gen)
set(R, 'i:' .. tok, visit.input)
make(R, run, tok, new_token(node, visit.queue, '', '0', ''), q)
save(R)
return {0}
