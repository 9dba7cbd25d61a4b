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
-- KEYS[4...] of each item in turn: its run; the stream unless it is n; the state log
-- if it has a delta; the history if it has a place for it
-- ARGV[1] channel of the status changes
-- ARGV[2...] of each item in turn, first what it is:
--   l, then token, entry, queue, owner, consumer whose claim is renewed or nothing
--   n, then token, record of it, new record, node that it leaves, what its visit
--     begins with if it may be alone in its run, then the three below
--   e, then token, record of it, entry, run id, then the three below
--   d, then token, record of it, entry, frame, index and item, then the three below
--   the three: history record, delta, input of the successor or output or deposit
-- What n, e and d are has more behind it, with spaces between: state version that was
-- read or -1, most items the run may commit or 0, 1 with a delta else 0, 1 with a
-- place in KEYS for the history else 0
-- Returns: {now in ms, then for each item -1 or what follows:
--   l: 0, workflow, fingerprint, state version, committed, what stands behind the
--     owner in the token's record, input, place in a trace or nil
--   n: 0, state version, committed; e: 0, ms that the run lasted; d: 0}
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

-- whole says whether it is a whole number, of no more digits than Lua can count
-- with; what is not there is 0.
local function whole(text) return not text or (text ~= '' and #text < 16 and not find(text, '%D')) end

local function open(closed) return not closed or closed == '0' end

-- counted returns how many items the run has then committed, which record of its
-- history this is, and its state version before; nil if the commit is not plain.
local function counted(what, committed, failed, sv)
  if not (whole(committed) and whole(failed) and whole(sv)) then return nil end
  committed, sv = tonumber(committed or 0), tonumber(sv or 0)
  if (what.most > 0 and committed >= what.most) or what.read > sv then return nil end
  return committed + 1, committed + 1 + (failed or 0), sv
end

-- noted journals a commit; puts are the fields that will be written, p how many. It
-- returns p and the state version, nil if nothing was written.
local function noted(what, record, delta, n, sv, state, history, puts, p)
  if n > 16 and not history then return nil end
  if what.delta and type(try('RPUSH', state, delta)) ~= 'number' then return nil end
  record = stamp .. '|' .. record
  if n <= 16 then
    puts[p + 1], puts[p + 2], p = 'h:' .. n, record, p + 2
  else
    local kept = try('RPUSH', history, record)
    if type(kept) ~= 'number' then
      if what.delta then call('RPOP', state) end
      return nil
    end
    if kept > 10000 then call('LTRIM', history, 1, -1) end
  end
  if not what.delta then return p, sv end
  puts[p + 1], puts[p + 2] = 'sv', format('%d', sv + 1)
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

-- Records of tokens that nobody has: see lib/token.lua.
local BARE = '^q|(%d+%-%d+)||(%d+|[^|]*|[^|]*|%.)$'
local PLAIN = '^q|(%d+%-%d+)||(%d+|[^|]*|[^|]*|0|0||[^|]*|%d+||0|0|0|%d+|[01]|%d+|0)$'

local function load()
  local run, stream, t, at = KEYS[k], KEYS[k + 1], 't:' .. ARGV[a + 1], a
  k, a = k + 2, a + 6
  local h = try('HMGET', run, 'status', t, 'workflow', 'fingerprint', 'sv', 'committed', 'closed', 'granted', 'trace',
    'i:' .. ARGV[at + 1])
  local entry, rest = match(h[2] or '', BARE)
  if not entry then entry, rest = match(h[2] or '', PLAIN) end
  if h[1] ~= 'running' or entry ~= ARGV[at + 2] or match(rest, '^%d+|[^|]*|([^|]*)') ~= ARGV[at + 3]
    or not (open(h[7]) and h[3] and whole(h[5]) and whole(h[6])) or not sound('XLEN', stream) then return no() end
  -- There is no group where the stream was deleted.
  if ARGV[at + 5] ~= '' and try('XCLAIM', stream, 'flox', ARGV[at + 5], 0, entry, 'JUSTID').err then return no() end
  local record = 'q|' .. entry .. '|' .. ARGV[at + 4] .. '|' .. rest
  if h[8] then call('HSET', run, t, record) else call('HSET', run, t, record, 'granted', '1') end
  reply[size + 1], reply[size + 2], reply[size + 3], reply[size + 4] = 0, h[3], h[4], tonumber(h[5] or 0)
  reply[size + 5], reply[size + 6], reply[size + 7], reply[size + 8] = tonumber(h[6] or 0), rest, h[10], h[9]
  size = size + 8
end

local function go_on(what)
  local run, at = KEYS[k], a
  k, a = k + 1, a + 9
  local state, history = keys(what)
  local t, i, node, visit = 't:' .. ARGV[at + 1], 'i:' .. ARGV[at + 1], ARGV[at + 4], ARGV[at + 5]
  local h = try('HMGET', run, 'status', t, 'created', 'committed', 'sv', 'failed', 'closed', 'live', 'kept', i)
  if h[1] ~= 'running' or h[2] ~= ARGV[at + 2] or not (open(h[7]) and h[3] and whole(h[3])) then return no() end
  local committed, n, sv = counted(what, h[4], h[6], h[5])
  if not committed then return no() end
  -- Room is made at once for all that may be put.
  local puts, p = {t, ARGV[at + 3], i, ARGV[at + 8], 'created', format('%d', h[3] + 1), 'committed',
    format('%d', committed), 0, 0, 0, 0, 0, 0, 0, 0}, 8
  if visit ~= '' and h[8] == '1' and h[10] then
    if find(visit, h[3] .. '|', 1, true) ~= 1 then return no() end
    puts[9], puts[10], p = 'r:' .. node, visit .. (h[5] or '0') .. '|0|0||' .. h[10], 10
    local kept = h[9]
    if not kept then
      puts[11], puts[12], p = 'kept', node, 12
    elseif not find(',' .. kept .. ',', ',' .. node .. ',', 1, true) then
      puts[11], puts[12], p = 'kept', kept .. ',' .. node, 12
    end
  end
  p, sv = noted(what, ARGV[at + 6], ARGV[at + 7], n, sv, state, history, puts, p)
  if not p then return no() end
  call('HSET', run, unpack(puts, 1, p))
  reply[size + 1], reply[size + 2], reply[size + 3] = 0, sv, committed
  size = size + 3
end

local function finish(what)
  local run, stream, at = KEYS[k], KEYS[k + 1], a
  k, a = k + 2, a + 8
  local state, history = keys(what)
  local t, output = 't:' .. ARGV[at + 1], ARGV[at + 7]
  local h = try('HMGET', run, 'status', t, 'live', 'committed', 'sv', 'failed', 'closed', 'kept', 'workflow', 'started',
    'outs', 'ends', 'deadline')
  if h[1] ~= 'running' or h[2] ~= ARGV[at + 2] or h[3] ~= '1' or not open(h[7]) or h[13] or not h[9]
    or not (h[10] and whole(h[10]) and whole(h[11]) and whole(h[12]))
    or not (sound('ZCARD', KEYS[1]) and sound('ZCARD', KEYS[2]) and sound('HLEN', KEYS[3]) and sound('XLEN', stream)) then
    return no()
  end
  -- Without an output the run may fail of that.
  if output == '' and try('HGET', run, 'need') ~= '0' then return no() end
  local committed, n, sv = counted(what, h[4], h[6], h[5])
  if not committed then return no() end
  local puts = {'status', 'completed', 'ended', stamp, 'live', '0', 'committed', format('%d', committed),
    'ends', format('%d', (h[12] or 0) + 1), 0, 0, 0, 0, 0, 0, 0, 0}
  local p = 10
  if output ~= '' then
    local outs = format('%d', (h[11] or 0) + 1)
    puts[11], puts[12], puts[13], puts[14], p = 'outs', outs, 'o:' .. outs, output, 14
  end
  p = noted(what, ARGV[at + 5], ARGV[at + 6], n, sv, state, history, puts, p)
  if not p then return no() end
  call('HSET', run, unpack(puts, 1, p))
  local gone = {t, 'i:' .. ARGV[at + 1]}
  if h[8] then
    for node in string.gmatch(h[8], '[^,]+') do gone[#gone + 1] = 'r:' .. node end
    gone[#gone + 1] = 'kept'
  end
  call('HDEL', run, unpack(gone))
  release(stream, ARGV[at + 3])
  local workflow = h[9]
  ended[#ended + 1], counts[workflow] = {ARGV[at + 4], workflow}, (counts[workflow] or 0) + 1
  reply[size + 1], reply[size + 2] = 0, math.max(0, now - h[10])
  size = size + 2
end

local function deposit(what)
  local run, stream, at = KEYS[k], KEYS[k + 1], a
  k, a = k + 2, a + 9
  local state, history = keys(what)
  local t, f = 't:' .. ARGV[at + 1], 'f:' .. ARGV[at + 4]
  local h = try('HMGET', run, 'status', t, 'live', 'committed', 'sv', 'failed', 'closed', f)
  local live, shape, arrived, rest = match(h[8] or '', '^(%d+)|(%d+|[^|]*|[^|]*|[^|]*|%d+)|(%d+)|([01]|0|.*)$')
  if h[1] ~= 'running' or h[2] ~= ARGV[at + 2] or not open(h[7]) or not live or live == '1' or live == '0'
    or not (h[3] and whole(h[3])) or not sound('XLEN', stream) then return no() end
  local committed, n, sv = counted(what, h[4], h[6], h[5])
  if not committed then return no() end
  arrived = format('%d', arrived + 1)
  local puts, p = {f, format('%d', live - 1) .. '|' .. shape .. '|' .. arrived .. '|' .. rest,
    'd:' .. ARGV[at + 4] .. ':' .. arrived, ARGV[at + 5] .. '|' .. ARGV[at + 8], 'live', format('%d', h[3] - 1),
    'committed', format('%d', committed), 0, 0, 0, 0}, 8
  p = noted(what, ARGV[at + 6], ARGV[at + 7], n, sv, state, history, puts, p)
  if not p then return no() end
  call('HSET', run, unpack(puts, 1, p))
  call('HDEL', run, t, 'i:' .. ARGV[at + 1])
  release(stream, ARGV[at + 3])
  size = size + 1
  reply[size] = 0
end

-- Most items of a call are of few kinds: each kind is read once.
local kinds = {l = {act = load}}
local acts = {n = go_on, e = finish, d = deposit}

local function kind(text)
  local op, read, most, delta, history = match(text, '^(%a) (%-?%d+) (%d+) ([01]) ([01])$')
  kinds[text] = {act = acts[op], read = tonumber(read), most = tonumber(most), delta = delta == '1', history = history == '1'}
  return kinds[text]
end

local last = #ARGV
while a <= last do
  local what = kinds[ARGV[a]] or kind(ARGV[a])
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
