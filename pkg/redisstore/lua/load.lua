#!lua flags=allow-oom
-- Turns a claimed entry into a lease by writing the owner into the token.
-- uses: base token late
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
-- 1 if a join's, chunk due, chunks, blob or nil, {deposits}, scope, frame of the
-- join, ms since the first attempt began, S or T if a signal or the time ended its
-- wait, the signal's payload or nil, error that is undone for or nil, the run's place
-- in a trace or nil, how often the run was retried after it failed of the item};
-- {2} stray, {3} lost, {4} parked, {5} cancelled, {6} the run's key is of a wrong
-- type, or what it says cannot be read, {7} too late for its join
local run, tok, stream = ARGV[1], ARGV[2], KEYS[2]
local R = open_run(KEYS[1], {'sv', 'committed', 'live', 'dropped', 'parked', 'closed'}, 'status', 'workflow',
  'fingerprint', 'granted', 'failure', 'trace', 't:' .. tok, 'i:' .. tok)
if not R then return {6} end
local h = R.h
local raw = h['t:' .. tok]
local t = raw and read_token(raw)
if h.status and raw and not t then return {6} end
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
if late(R, t) then
  shelve(R, tok, t, stream)
  return {7}
end
-- What was started and lost may have done something: if the run undoes, it is
-- granted so that this is committed, and undone.
if not grants(R, tok) and not (h.status == 'undoing' and tonumber(t.crash) > 0) then
  shelve(R, tok, t, stream)
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
  -- No more than the run has fields: what is missing of them is the reader's to tell.
  local count = math.min(tonumber(t.count), redis.call('HLEN', KEYS[1]))
  for first = 1, count, 4000 do
    local fields = {}
    for n = first, math.min(first + 3999, count) do fields[#fields + 1] = 'd:' .. t.from .. ':' .. n end
    for _, d in ipairs(redis.call('HMGET', KEYS[1], unpack(fields))) do deposits[#deposits + 1] = d end
  end
end
if t.rel ~= '0' then blob = redis.call('HGET', KEYS[1], 'b:' .. tok .. ':' .. t.rel) end
local answer, signal = string.match(t.flags, '[ST]') or '', false
if answer == 'S' then signal = redis.call('HGET', KEYS[1], 's:' .. tok) end
-- A stored failure has its time in front.
local cause = undoes(tok) and h.failure and string.match(h.failure, '^%d*|(.*)$') or false
local now = clock()
local elapsed = t.since ~= '' and math.max(0, now - tonumber(t.since)) or 0
local grant = tonumber(t.crash) >= tonumber(ARGV[6]) and 1 or 0
local _, retried = string.gsub(t.flags, 'R', '')
local queued = tonumber(string.match(t.eid, '^(%d+)'))
return {grant, h.workflow, h.fingerprint, tonumber(h.sv or 0), tonumber(h.committed or 0), t.node,
  tonumber(t.step), tonumber(t.att), tonumber(t.crash), now - queued, payload,
  t.from ~= '' and 1 or 0, tonumber(t.rel), tonumber(t.chunks), blob, deposits, t.scope, t.from, elapsed,
  answer, signal, cause, h.trace or false, retried}
