#!lua flags=allow-oom
-- The hot path: the plain cases of load.lua, next.lua and end.lua, for many items
-- at once. Plain is a token of a running run that nothing is held against. What is
-- not plain is answered -1 and nothing of it is written: the item's own script
-- decides. The rules stand there; this is their short form. What the items do to
-- keys that runs share is done once for all of them, at the end: nothing can fail
-- between the first write and that.
-- KEYS[1] index of the runs that have not ended
-- KEYS[2] index of the completed runs
-- KEYS[3] counts by workflow and status
-- KEYS[4...] of each item in turn: its run; the stream unless it is n or N; the state
-- log if it has a delta; the history if it has a place for it
-- ARGV[1] channel of the status changes
-- ARGV[2...] of each item in turn, first what it is:
--   l, loads of one run and queue: the queue, then of each token, entry, owner,
--     consumer whose claim is renewed or nothing
--   n, then token, record of it, new record, node that it leaves, what its visit
--     begins with if it is in no frame, history record, delta, input of the
--     successor
--   e, then token, record of it, entry, run id, history record, delta, output
--   N and E, the same of a token that has made every item of its run and stands in no
--     frame: nobody else changes what the run counts. N, then token, record of it, new
--     record, node that it leaves, what its visit begins with, what the run keeps if
--     that changes, history record, delta, input of the successor; E, then token,
--     record of it, entry, run id, workflow, what the run keeps, history record, delta,
--     output
--   d, deposits at one frame: the frame, then of each token, record of it, entry,
--     index and item, history record, delta, deposit
-- What l and d are has how many behind it, and then what n, e and d are has, with
-- spaces between: state version that was read or -1, most items the run may commit or
-- 0, 1 with a delta else 0, 1 with a place in KEYS for the history else 0. N and E have
-- instead of the first two: items committed, items made, commits that failed, and the
-- state version or, without a delta, 0
-- Returns: {now in ms, then for each item, each load and each deposit, -1 or what
-- follows:
--   l: 0, workflow, fingerprint, state version, committed, what stands behind the
--     owner in the token's record, input, place in a trace or nil, and of a run with
--     one token and no deadline, if it is loaded by itself, "<items made>/<commits that
--     failed>/<started>/<kept>"
--   n: 0, state version, committed; e: 0, ms that the run lasted; N, E and d: 0
-- From the first item on that cannot be read nothing is done and nothing answered}
local call, try, match, find, format = redis.call, redis.pcall, string.match, string.find, string.format
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local stamp = format('%.0f', now)
local reply, size, k, a = {now}, 1, 4, 2

-- What is known of keys; and the entries, runs and counts that are for the end.
local checked, entries, ended, counts = {}, {}, {}, {}

-- sound says whether a key takes a command of its type that only reads.
local function sound(command, key)
  if checked[key] == nil then checked[key] = type(try(command, key)) == 'number' end
  return checked[key]
end

local function no()
  size = size + 1
  reply[size] = -1
end

-- Most numbers of a call are few and small: each is read and written once.
local numbers, texts = {}, {}

-- whole reads a whole number, of no more digits than Lua can count with; what is not
-- there is 0, and what is none is false.
local function whole(text)
  if not text then return 0 end
  local n = numbers[text]
  if n == nil then
    n = text ~= '' and #text < 16 and not find(text, '%D') and tonumber(text)
    numbers[text] = n
  end
  return n
end

local function int(n)
  local text = texts[n]
  if not text then
    text = format('%d', n)
    texts[n] = text
  end
  return text
end

-- open says that no frame of the run is closed: only a token in a frame can be late.
local function open(closed) return not closed or closed == '0' end

-- counted returns how many items the run has then committed, which record of its
-- history this is, and its state version before; nil if the commit is not plain.
local function counted(what, committed, failed, sv)
  committed, failed, sv = whole(committed), whole(failed), whole(sv)
  if not (committed and failed and sv) or (what.most > 0 and committed >= what.most) or what.read > sv then return nil end
  return committed + 1, committed + 1 + failed, sv
end

local FIRST = {'h:1', 'h:2', 'h:3', 'h:4', 'h:5', 'h:6', 'h:7', 'h:8', 'h:9', 'h:10', 'h:11', 'h:12', 'h:13', 'h:14',
  'h:15', 'h:16'}

-- noted journals a commit; puts are the fields that will be written, p how many. It
-- returns p and the state version, nil if nothing was written.
local function noted(what, record, delta, n, sv, state, history, puts, p)
  if n > 16 and not history then return nil end
  if what.delta and type(try('RPUSH', state, delta)) ~= 'number' then return nil end
  record = stamp .. '|' .. record
  if n <= 16 then
    puts[p + 1], puts[p + 2], p = FIRST[n], record, p + 2
  else
    local kept = try('RPUSH', history, record)
    if type(kept) ~= 'number' then
      if what.delta then call('RPOP', state) end
      return nil
    end
    if kept > 10000 then call('LTRIM', history, 1, -1) end
  end
  if not what.delta then return p, sv end
  puts[p + 1], puts[p + 2] = 'sv', int(sv + 1)
  return p + 2, sv + 1
end

-- keys takes those that few commits have.
local function keys(what)
  local state, history
  if what.delta then state, k = KEYS[k], k + 1 end
  if what.history then history, k = KEYS[k], k + 1 end
  return state, history
end

local function release(stream, entry)
  local list = entries[stream]
  if list then list[#list + 1] = entry else entries[stream] = {entry} end
end

-- Records of tokens that nobody has: see lib/token.lua. One that comes a second time
-- in a call is somebody's by then, though the record that was read does not say so.
local BARE = '^q|(%d+%-%d+)||(%d+|[^|]*|([^|]*)|%.)$'
local PLAIN = '^q|(%d+%-%d+)||(%d+|[^|]*|([^|]*)|0|0||[^|]*|%d+||0|0|0|%d+|[01]|%d+|0)$'

-- lone tells what a run with one token counts, false if it has others. One of which
-- nothing was ever loaded is as it was started.
local function lone(run, granted, started)
  if not granted then return '1/0/' .. started .. '/' end
  local made = call('HGET', run, 'live') == '1' and call('HGET', run, 'created')
  return made and made .. '/' .. (call('HGET', run, 'failed') or '0') .. '/' .. started .. '/' .. (call('HGET', run, 'kept') or '')
end

local function load(what)
  local run, stream, queue, at = KEYS[k], KEYS[k + 1], ARGV[a + 1], a + 2
  local m = what.size
  k, a = k + 2, at + 4 * m
  -- Room for one, as most are.
  local fields = {'status', 'workflow', 'fingerprint', 'sv', 'committed', 'granted', 'trace', 0, 0, 0, 0}
  for i = 1, m do
    local tok = ARGV[at + 4 * i - 4]
    fields[6 + 2 * i], fields[7 + 2 * i] = 't:' .. tok, 'i:' .. tok
  end
  if m == 1 then fields[10], fields[11] = 'started', 'deadline' end
  local h = try('HMGET', run, unpack(fields))
  local alone = m == 1 and h[9] and h[10] and not h[11] and lone(run, h[6], h[10])
  local sv, committed, puts, p = whole(h[4]), whole(h[5]), {0, 0, 0, 0}, 0
  local plain = h[1] == 'running' and h[2] and sv and committed and sound('XLEN', stream)
  local taken, closed = {}, nil
  for i = 1, m do
    local b, raw = at + 4 * i - 4, h[6 + 2 * i] or ''
    local entry, rest, on = match(raw, BARE)
    if not entry and plain then
      -- It may be in a frame, and late.
      if closed == nil then closed = try('HGET', run, 'closed') end
      if open(closed) then entry, rest, on = match(raw, PLAIN) end
    end
    -- There is no group where the stream was deleted.
    if not plain or taken[ARGV[b]] or entry ~= ARGV[b + 1] or on ~= queue
      or (ARGV[b + 3] ~= '' and try('XCLAIM', stream, 'flox', ARGV[b + 3], 0, entry, 'JUSTID').err) then
      no()
    else
      taken[ARGV[b]] = true
      puts[p + 1], puts[p + 2], p = fields[6 + 2 * i], 'q|' .. entry .. '|' .. ARGV[b + 2] .. '|' .. rest, p + 2
      reply[size + 1], reply[size + 2], reply[size + 3], reply[size + 4] = 0, h[2], h[3], sv
      reply[size + 5], reply[size + 6], reply[size + 7], reply[size + 8] = committed, rest, h[7 + 2 * i], h[7]
      reply[size + 9] = alone
      size = size + 9
    end
  end
  if p == 0 then return end
  if not h[6] then puts[p + 1], puts[p + 2], p = 'granted', '1', p + 2 end
  call('HSET', run, unpack(puts, 1, p))
end

local function go_on(what)
  local run, at = KEYS[k], a
  k, a = k + 1, a + 9
  local state, history = keys(what)
  local t, i, node, visit = 't:' .. ARGV[at + 1], 'i:' .. ARGV[at + 1], ARGV[at + 4], ARGV[at + 5]
  -- A token in no frame may be alone, one in a frame may be late.
  local framed, h = visit == '', nil
  if framed then
    h = try('HMGET', run, 'status', t, 'created', 'committed', 'sv', 'failed', 'closed')
  else
    h = try('HMGET', run, 'status', t, 'created', 'committed', 'sv', 'failed', 'live', 'kept', i)
  end
  if h[1] ~= 'running' or h[2] ~= ARGV[at + 2] or not h[3] or (framed and not open(h[7])) then return no() end
  local created, committed, n, sv = whole(h[3]), counted(what, h[4], h[6], h[5])
  if not (created and committed) then return no() end
  -- Room is made at once for all that may be put.
  local puts, p = {t, ARGV[at + 3], i, ARGV[at + 8], 'created', int(created + 1), 'committed',
    int(committed), 0, 0, 0, 0, 0, 0, 0, 0}, 8
  if not framed and h[7] == '1' and h[9] then
    if find(visit, h[3] .. '|', 1, true) ~= 1 then return no() end
    puts[9], puts[10], p = 'r:' .. node, visit .. (h[5] or '0') .. '|0|0||' .. h[9], 10
    local kept = h[8]
    if not kept then
      puts[11], puts[12], p = 'kept', node, 12
    elseif not (find(kept, node, 1, true) and find(',' .. kept .. ',', ',' .. node .. ',', 1, true)) then
      puts[11], puts[12], p = 'kept', kept .. ',' .. node, 12
    end
  end
  p, sv = noted(what, ARGV[at + 6], ARGV[at + 7], n, sv, state, history, puts, p)
  if not p then return no() end
  call('HSET', run, unpack(puts, 1, p))
  reply[size + 1], reply[size + 2], reply[size + 3] = 0, sv, committed
  size = size + 3
end

-- ends says whether a run can end: what it shares with others is sound.
local function ends(stream)
  return sound('ZCARD', KEYS[1]) and sound('ZCARD', KEYS[2]) and sound('HLEN', KEYS[3]) and sound('XLEN', stream)
end

-- complete ends a run; p of puts are the fields that will be written, kept are the
-- nodes of which it keeps visits. Token, record, entry and run id are behind at.
local function complete(run, stream, at, kept, workflow, puts, p)
  local gone, g = {'t:' .. ARGV[at + 1], 'i:' .. ARGV[at + 1], 0, 0, 0, 0, 0, 0}, 2
  if kept ~= '' then
    for node in string.gmatch(kept, '[^,]+') do gone[g + 1], g = 'r:' .. node, g + 1 end
    gone[g + 1], g = 'kept', g + 1
  end
  -- In this order: what is put is looked for among less.
  call('HDEL', run, unpack(gone, 1, g))
  call('HSET', run, unpack(puts, 1, p))
  release(stream, ARGV[at + 3])
  ended[#ended + 1], counts[workflow] = {ARGV[at + 4], workflow}, (counts[workflow] or 0) + 1
end

local function finish(what)
  local run, stream, at = KEYS[k], KEYS[k + 1], a
  k, a = k + 2, a + 8
  local state, history = keys(what)
  local t, output = 't:' .. ARGV[at + 1], ARGV[at + 7]
  local h = try('HMGET', run, 'status', t, 'live', 'committed', 'sv', 'failed', 'kept', 'workflow', 'started',
    'outs', 'ends', 'deadline')
  if h[1] ~= 'running' or h[2] ~= ARGV[at + 2] or h[3] ~= '1' or h[12] or not h[8]
    or not (h[9] and whole(h[9]) and whole(h[10]) and whole(h[11]))
    or not ends(stream) then
    return no()
  end
  -- Without an output the run may fail of that.
  if output == '' and try('HGET', run, 'need') ~= '0' then return no() end
  local committed, n, sv = counted(what, h[4], h[6], h[5])
  if not committed then return no() end
  local puts = {'status', 'completed', 'ended', stamp, 'live', '0', 'committed', int(committed),
    'ends', int(whole(h[11]) + 1), 0, 0, 0, 0, 0, 0, 0, 0}
  local p = 10
  if output ~= '' then
    local outs = int(whole(h[10]) + 1)
    puts[11], puts[12], puts[13], puts[14], p = 'outs', outs, 'o:' .. outs, output, 14
  end
  p = noted(what, ARGV[at + 5], ARGV[at + 6], n, sv, state, history, puts, p)
  if not p then return no() end
  complete(run, stream, at, h[7] or '', h[8], puts, p)
  reply[size + 1], reply[size + 2] = 0, math.max(0, now - h[9])
  size = size + 2
end

-- alone returns a field of a run that is as the token's holder left it, nil if it is
-- not. A repair may have put right what was committed, and the state version; all else
-- is as it was, if the token is.
local function alone(what, run, t, record, field)
  local h
  if what.delta then
    h = try('HMGET', run, 'status', t, 'committed', field, 'sv')
  else
    h = try('HMGET', run, 'status', t, 'committed', field)
  end
  if h[1] ~= 'running' or h[2] ~= record or (h[3] or '0') ~= what.before or (what.delta and (h[5] or '0') ~= what.sv) then
    return nil
  end
  return h[4]
end

local function go_on_alone(what)
  local run, at = KEYS[k], a
  k, a = k + 1, a + 10
  local state, history = keys(what)
  local t, i = 't:' .. ARGV[at + 1], 'i:' .. ARGV[at + 1]
  local input = alone(what, run, t, ARGV[at + 2], i)
  if not input then return no() end
  local puts, p = {t, ARGV[at + 3], i, ARGV[at + 9], 'created', what.created, 'committed', what.after,
    'r:' .. ARGV[at + 4], ARGV[at + 5] .. input, 0, 0, 0, 0, 0, 0}, 10
  if ARGV[at + 6] ~= '' then puts[11], puts[12], p = 'kept', ARGV[at + 6], 12 end
  p = noted(what, ARGV[at + 7], ARGV[at + 8], what.n, what.version, state, history, puts, p)
  if not p then return no() end
  call('HSET', run, unpack(puts, 1, p))
  size = size + 1
  reply[size] = 0
end

local function finish_alone(what)
  local run, stream, at = KEYS[k], KEYS[k + 1], a
  k, a = k + 2, a + 10
  local state, history = keys(what)
  local t, output, workflow = 't:' .. ARGV[at + 1], ARGV[at + 9], ARGV[at + 5]
  local need = alone(what, run, t, ARGV[at + 2], 'need')
  -- Without an output the run may fail of that.
  if not need or not ends(stream) or (output == '' and need ~= '0') then return no() end
  local puts, p = {'status', 'completed', 'ended', stamp, 'live', '0', 'committed', what.after, 'ends', '1',
    0, 0, 0, 0, 0, 0, 0, 0}, 10
  if output ~= '' then puts[11], puts[12], puts[13], puts[14], p = 'outs', '1', 'o:1', output, 14 end
  p = noted(what, ARGV[at + 7], ARGV[at + 8], what.n, what.version, state, history, puts, p)
  if not p then return no() end
  complete(run, stream, at, ARGV[at + 6], workflow, puts, p)
  size = size + 1
  reply[size] = 0
end

-- push appends to a list; it returns how long that is, nil if it is none.
local function push(key, values)
  local length = try('RPUSH', key, unpack(values))
  return type(length) == 'number' and length
end

local function deposit(what)
  local run, stream, frame, at, m = KEYS[k], KEYS[k + 1], ARGV[a + 1], a + 2, what.size
  k, a = k + 2, at + 7 * m
  local state, history = keys(what)
  local f = 'f:' .. frame
  local fields = {'status', 'live', 'committed', 'sv', 'failed', 'closed', f}
  for i = 1, m do fields[7 + i] = 't:' .. ARGV[at + 7 * i - 7] end
  local h = try('HMGET', run, unpack(fields))
  local live, shape, arrived, rest = match(h[7] or '', '^(%d+)|(%d+|[^|]*|[^|]*|[^|]*|%d+)|(%d+)|([01]|0|.*)$')
  local plain = h[1] == 'running' and open(h[6]) and live and h[2] and whole(h[2]) and sound('XLEN', stream)
  local committed, n, sv
  if plain then committed, n, sv = counted(what, h[3], h[5], h[4]) end
  -- Those that are done: not the last of the frame, which fires its join.
  local done, left, room = {}, {}, committed and math.min(live - 1, what.most > 0 and what.most - committed + 1 or m) or 0
  for i = 1, m do
    local b = at + 7 * i - 7
    if #done < room and h[7 + i] == ARGV[b + 1] and not left[ARGV[b]] then
      done[#done + 1], left[ARGV[b]] = b, true
    end
  end
  local x, puts, gone, records, deltas = #done, {}, {}, {}, {}
  for i, b in ipairs(done) do
    gone[2 * i - 1], gone[2 * i] = 't:' .. ARGV[b], 'i:' .. ARGV[b]
    puts[2 * i - 1], puts[2 * i] = 'd:' .. frame .. ':' .. int(arrived + i), ARGV[b + 3] .. '|' .. ARGV[b + 6]
    deltas[i] = ARGV[b + 5]
    local record = stamp .. '|' .. ARGV[b + 4]
    if n + i - 1 <= 16 then
      puts[2 * x + 2 * i - 1], puts[2 * x + 2 * i] = FIRST[n + i - 1], record
    else
      records[#records + 1] = record
    end
  end
  local taken = x > 0 and (#records == 0 or history) and (not what.delta or push(state, deltas))
  local kept = taken and #records > 0 and push(history, records)
  if taken and #records > 0 and not kept then
    if what.delta then call('LTRIM', state, 0, -1 - x) end
    taken = false
  end
  if taken then
    if kept and kept > 10000 then call('LTRIM', history, kept - 10000, -1) end
    local p = #puts
    puts[p + 1], puts[p + 2] = f, int(live - x) .. '|' .. shape .. '|' .. int(arrived + x) .. '|' .. rest
    puts[p + 3], puts[p + 4] = 'live', int(h[2] - x)
    puts[p + 5], puts[p + 6] = 'committed', int(committed + x - 1)
    if what.delta then puts[p + 7], puts[p + 8] = 'sv', int(sv + x) end
    call('HSET', run, unpack(puts))
    call('HDEL', run, unpack(gone))
  end
  local next = 1
  for i = 1, m do
    local b = at + 7 * i - 7
    if taken and done[next] == b then
      next = next + 1
      release(stream, ARGV[b + 2])
      size = size + 1
      reply[size] = 0
    else
      no()
    end
  end
end

-- Most items of a call are of few kinds: each kind is read once.
local kinds, acts = {}, {n = go_on, e = finish, d = deposit, N = go_on_alone, E = finish_alone}

local function kind(text)
  local loads, what = match(text, '^l (%d+)$'), {}
  local op, size, read, most, delta, history = match(text, '^(%l) ?(%d*) (%-?%d+) (%d+) ([01]) ([01])$')
  if loads then
    what.act, what.size = load, tonumber(loads)
  elseif op and (op == 'd') == (size ~= '') then
    what.act, what.size, what.read, what.most = acts[op], tonumber(size), tonumber(read), tonumber(most)
  else
    local before, made, failed, sv
    op, before, made, failed, sv, delta, history = match(text, '^([NE]) (%d+) (%d+) (%d+) (%d+) ([01]) ([01])$')
    if op then
      what.act, what.before, what.after, what.created = acts[op], before, int(before + 1), int(made + 1)
      what.n, what.sv, what.version = before + failed + 1, sv, tonumber(sv)
    end
  end
  what.delta, what.history = delta == '1', history == '1'
  kinds[text] = what
  return what
end

local last = #ARGV
while a <= last do
  local what = kinds[ARGV[a]] or kind(ARGV[a])
  -- Of what cannot be read nobody knows where it ends. What was done ends whole.
  if not what.act then break end
  what.act(what)
end

for stream, list in pairs(entries) do
  call('XACK', stream, 'flox', unpack(list))
  call('XDEL', stream, unpack(list))
end
if #ended > 0 then
  local out, into, news = {}, {}, {}
  for i, run in ipairs(ended) do
    local member = run[1] .. '|' .. run[2]
    out[i], into[2 * i - 1], into[2 * i], news[i] = member, stamp, member, run[1] .. ' completed'
  end
  call('PUBLISH', ARGV[1], table.concat(news, '\n'))
  call('ZREM', KEYS[1], unpack(out))
  call('ZADD', KEYS[2], unpack(into))
  for workflow, n in pairs(counts) do
    try('HINCRBY', KEYS[3], workflow .. ':running', -n)
    try('HINCRBY', KEYS[3], workflow .. ':completed', n)
  end
end
return reply
