#!lua flags=allow-oom
-- Turns a claimed entry into a lease by writing the owner into the token.
-- uses: base token
-- KEYS[1] the run
-- KEYS[2] stream of the entry
-- ARGV[1] run id
-- ARGV[2] token
-- ARGV[3] entry
-- ARGV[4] queue of the entry
-- ARGV[5] owner, unique for ever
-- ARGV[6] how many lost starts make an item poison
-- ARGV[7] consumer that claimed it
-- Returns: {0 granted | 1 poison, workflow, fingerprint, state version,
-- committed, node, step, attempt, crashes, ms since it was queued, payload or nil,
-- 1 if a join's, chunk due, chunks, blob or nil, {deposits}}; {2} stray, {3} lost,
-- {4} parked, {5} cancelled, {6} the run's key is of a wrong type
local run, tok, stream = ARGV[1], ARGV[2], KEYS[2]
local R = open_run(KEYS[1], {'status', 'workflow', 'fingerprint', 'sv', 'committed', 'granted',
  'live', 'dropped', 'parked', 't:' .. tok, 'i:' .. tok})
if not R then return {6} end
local h = R.h
local raw = h['t:' .. tok]
local t = raw and read_token(raw)
if not h.status or not t or t.loc ~= 'q' or t.eid ~= ARGV[3] or t.queue ~= ARGV[4] then
  release({eid = ARGV[3]}, stream)
  return {2}
end
if t.own ~= '' and t.own ~= ARGV[5] then return {3} end
if h.status == 'cancelled' then
  drop(R, run, tok, t, stream)
  save(R)
  return {5}
end
if h.status ~= 'running' then
  release(t, stream)
  park(R, t)
  put_token(R, tok, t)
  save(R)
  return {4}
end
if t.own ~= ARGV[5] then
  -- The lease begins now: the entry may have been claimed long before.
  redis.call('XCLAIM', stream, 'flox', ARGV[7], 0, t.eid, 'JUSTID')
  t.own = ARGV[5]
  put_token(R, tok, t)
  if not h.granted then set(R, 'granted', '1') end
  save(R)
end
local payload, deposits, blob = h['i:' .. tok], {}, false
if t.from ~= '' then
  payload = redis.call('HGET', KEYS[1], 'c:' .. t.from)
  local count = tonumber(t.count)
  for first = 1, count, 4000 do
    local fields = {}
    for n = first, math.min(first + 3999, count) do fields[#fields + 1] = 'd:' .. t.from .. ':' .. n end
    for _, d in ipairs(redis.call('HMGET', KEYS[1], unpack(fields))) do deposits[#deposits + 1] = d end
  end
end
if t.rel ~= '0' then blob = redis.call('HGET', KEYS[1], 'b:' .. tok .. ':' .. t.rel) end
local grant = tonumber(t.crash) >= tonumber(ARGV[6]) and 1 or 0
local queued = tonumber(string.match(t.eid, '^(%d+)'))
return {grant, h.workflow, h.fingerprint, tonumber(h.sv or 0), tonumber(h.committed or 0), t.node,
  tonumber(t.step), tonumber(t.att), tonumber(t.crash), clock() - queued, payload,
  t.from ~= '' and 1 or 0, tonumber(t.rel), tonumber(t.chunks), blob, deposits}
