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
-- ARGV[2...] of each item in turn:
--   l, token, entry, queue, owner, consumer whose claim is renewed or nothing
--   n, token, record of it, new record, node that it leaves, its queue, step+1 if it
--     may be alone in its run, then the six below, input of the successor
--   e, token, record of it, entry, run id, then the six below, output
--   d, token, record of it, entry, frame, index and item, then the six below, deposit
--   the six: state version that was read or -1, most items the run may commit or 0,
--     1 with a delta, 1 with a place in KEYS for the history, history record, delta
-- Returns: {now in ms, then for each item -1 or what follows:
--   l: 0, workflow, fingerprint, state version, committed, what stands behind the
--     owner in the token's record, input, place in a trace or nil
--   n: 0, state version, committed; e: 0, ms that the run lasted; d: 0}
local call, try, match, find, format, pairs = redis.call, redis.pcall, string.match, string.find, string.format, pairs
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local stamp = format('%.0f', now)
local reply, k, a = {now}, 4, 2

-- keys, entries and members that are written to at the end
local checked, entries, ended, counts = {}, {}, {}, {}

local function sound(command, key)
  if checked[key] == nil then checked[key] = type(try(command, key)) == 'number' end
  return checked[key]
end

local function no() reply[#reply + 1] = -1 end

-- whole says whether it is a whole number, of no more digits than Lua can count
-- with; what is not there is 0.
local function whole(text) return not text or (text ~= '' and #text < 16 and not find(text, '%D')) end

local function open(closed) return not closed or closed == '0' end

-- counted reads the six, from b on, and what they need of the run: nil if the commit
-- is not plain.
local function counted(b, committed, failed, sv)
  local most = ARGV[b + 1]
  if not (whole(committed) and whole(failed) and whole(sv)) then return nil end
  committed, sv = tonumber(committed or 0), tonumber(sv or 0)
  if (most ~= '0' and committed >= tonumber(most)) or tonumber(ARGV[b]) > sv then return nil end
  return committed + 1, committed + 1 + (failed or 0), sv
end

-- noted journals a commit; puts are the fields that will be written. Nothing has
-- been written if it returns nil.
local function noted(b, n, sv, state, history, puts)
  local record, with = stamp .. '|' .. ARGV[b + 4], ARGV[b + 2] == '1'
  if n > 16 and not history then return nil end
  if with and type(try('RPUSH', state, ARGV[b + 5])) ~= 'number' then return nil end
  if n <= 16 then
    puts[#puts + 1], puts[#puts + 2] = 'h:' .. n, record
  else
    local kept = try('RPUSH', history, record)
    if type(kept) ~= 'number' then
      if with then call('RPOP', state) end
      return nil
    end
    if kept > 10000 then call('LTRIM', history, 1, -1) end
  end
  if not with then return sv end
  puts[#puts + 1], puts[#puts + 2] = 'sv', format('%d', sv + 1)
  return sv + 1
end

local function keys(b)
  local state, history
  if ARGV[b + 2] == '1' then state, k = KEYS[k], k + 1 end
  if ARGV[b + 3] == '1' then history, k = KEYS[k], k + 1 end
  return state, history
end

local function release(stream, entry)
  local list = entries[stream]
  if not list then
    list = {}
    entries[stream] = list
  end
  list[#list + 1] = entry
end

-- Records of tokens that nobody has: see lib/token.lua.
local BARE = '^q|(%d+%-%d+)||(%d+|[^|]*|[^|]*|%.)$'
local PLAIN = '^q|(%d+%-%d+)||(%d+|[^|]*|[^|]*|0|0||[^|]*|%d+||0|0|0|%d+|[01]|%d+|0)$'

local function load()
  local run, stream, t = KEYS[k], KEYS[k + 1], 't:' .. ARGV[a + 1]
  local h = try('HMGET', run, 'status', t, 'workflow', 'fingerprint', 'sv', 'committed', 'closed', 'granted', 'trace',
    'i:' .. ARGV[a + 1])
  k = k + 2
  local entry, rest = match(h[2] or '', BARE)
  if not entry then entry, rest = match(h[2] or '', PLAIN) end
  if h[1] ~= 'running' or entry ~= ARGV[a + 2] or match(rest, '^%d+|[^|]*|([^|]*)') ~= ARGV[a + 3]
    or not (open(h[7]) and h[3] and whole(h[5]) and whole(h[6])) or not sound('XLEN', stream) then return no() end
  -- There is no group where the stream was deleted.
  if ARGV[a + 5] ~= '' and try('XCLAIM', stream, 'flox', ARGV[a + 5], 0, entry, 'JUSTID').err then return no() end
  local record = 'q|' .. entry .. '|' .. ARGV[a + 4] .. '|' .. rest
  if h[8] then call('HSET', run, t, record) else call('HSET', run, t, record, 'granted', '1') end
  local n = #reply
  reply[n + 1], reply[n + 2], reply[n + 3], reply[n + 4] = 0, h[3], h[4], tonumber(h[5] or 0)
  reply[n + 5], reply[n + 6], reply[n + 7], reply[n + 8] = tonumber(h[6] or 0), rest, h[10], h[9]
end

local function go_on()
  local run, b = KEYS[k], a + 7
  k = k + 1
  local state, history = keys(b)
  local t, i, node, alone = 't:' .. ARGV[a + 1], 'i:' .. ARGV[a + 1], ARGV[a + 4], ARGV[a + 6]
  local h = try('HMGET', run, 'status', t, 'created', 'committed', 'sv', 'failed', 'closed', 'live', 'kept', i)
  if h[1] ~= 'running' or h[2] ~= ARGV[a + 2] or not (open(h[7]) and h[3] and whole(h[3])) then return no() end
  local committed, n, sv = counted(b, h[4], h[6], h[5])
  if not committed then return no() end
  local puts = {t, ARGV[a + 3], i, ARGV[b + 6], 'created', format('%d', h[3] + 1), 'committed', format('%d', committed)}
  if alone ~= '' and h[8] == '1' and h[10] then
    if h[3] ~= alone then return no() end
    puts[9], puts[10] = 'r:' .. node, alone .. '|' .. ARGV[a + 5] .. '|' .. (h[5] or '0') .. '|0|0||' .. h[10]
    local kept = h[9]
    if not kept then
      puts[11], puts[12] = 'kept', node
    elseif not find(',' .. kept .. ',', ',' .. node .. ',', 1, true) then
      puts[11], puts[12] = 'kept', kept .. ',' .. node
    end
  end
  sv = noted(b, n, sv, state, history, puts)
  if not sv then return no() end
  call('HSET', run, unpack(puts))
  n = #reply
  reply[n + 1], reply[n + 2], reply[n + 3] = 0, sv, committed
end

local function finish()
  local run, stream, b = KEYS[k], KEYS[k + 1], a + 5
  k = k + 2
  local state, history = keys(b)
  local t = 't:' .. ARGV[a + 1]
  local h = try('HMGET', run, 'status', t, 'live', 'committed', 'sv', 'failed', 'closed', 'kept', 'workflow', 'started',
    'outs', 'ends', 'need', 'deadline', 'created')
  local output = ARGV[b + 6]
  if h[1] ~= 'running' or h[2] ~= ARGV[a + 2] or h[3] ~= '1' or not open(h[7]) or h[14] or not (h[9] and h[15])
    or (output == '' and h[13] == '1') or not (h[10] and whole(h[10]) and whole(h[11]) and whole(h[12]))
    or not (sound('ZCARD', KEYS[1]) and sound('ZCARD', KEYS[2]) and sound('HLEN', KEYS[3]) and sound('XLEN', stream)) then
    return no()
  end
  local committed, n, sv = counted(b, h[4], h[6], h[5])
  if not committed then return no() end
  local puts = {'status', 'completed', 'ended', stamp, 'live', '0', 'committed', format('%d', committed),
    'ends', format('%d', (h[12] or 0) + 1)}
  if output ~= '' then
    local outs = format('%d', (h[11] or 0) + 1)
    puts[11], puts[12], puts[13], puts[14] = 'outs', outs, 'o:' .. outs, output
  end
  if not noted(b, n, sv, state, history, puts) then return no() end
  call('HSET', run, unpack(puts))
  local gone = {t, 'i:' .. ARGV[a + 1]}
  if h[8] then
    for node in string.gmatch(h[8], '[^,]+') do gone[#gone + 1] = 'r:' .. node end
    gone[#gone + 1] = 'kept'
  end
  call('HDEL', run, unpack(gone))
  release(stream, ARGV[a + 3])
  local workflow = h[9]
  ended[#ended + 1], counts[workflow] = {ARGV[a + 4], workflow}, (counts[workflow] or 0) + 1
  n = #reply
  reply[n + 1], reply[n + 2] = 0, math.max(0, now - h[10])
end

local function deposit()
  local run, stream, b = KEYS[k], KEYS[k + 1], a + 6
  k = k + 2
  local state, history = keys(b)
  local t, f = 't:' .. ARGV[a + 1], 'f:' .. ARGV[a + 4]
  local h = try('HMGET', run, 'status', t, 'live', 'committed', 'sv', 'failed', 'closed', f)
  local live, size, arrived, rest = match(h[8] or '', '^(%d+)|(%d+|[^|]*|[^|]*|[^|]*|%d+)|(%d+)|([01]|0|.*)$')
  if h[1] ~= 'running' or h[2] ~= ARGV[a + 2] or not open(h[7]) or not live or live == '1' or live == '0'
    or not (h[3] and whole(h[3])) or not sound('XLEN', stream) then return no() end
  local committed, n, sv = counted(b, h[4], h[6], h[5])
  if not committed then return no() end
  arrived = format('%d', arrived + 1)
  local puts = {f, format('%d', live - 1) .. '|' .. size .. '|' .. arrived .. '|' .. rest,
    'd:' .. ARGV[a + 4] .. ':' .. arrived, ARGV[a + 5] .. '|' .. ARGV[b + 6], 'live', format('%d', h[3] - 1),
    'committed', format('%d', committed)}
  if not noted(b, n, sv, state, history, puts) then return no() end
  call('HSET', run, unpack(puts))
  call('HDEL', run, t, 'i:' .. ARGV[a + 1])
  release(stream, ARGV[a + 3])
  reply[#reply + 1] = 0
end

while a <= #ARGV do
  local op = ARGV[a]
  if op == 'l' then
    load()
    a = a + 6
  elseif op == 'n' then
    go_on()
    a = a + 14
  elseif op == 'e' then
    finish()
    a = a + 12
  else
    deposit()
    a = a + 13
  end
end

for stream, list in pairs(entries) do
  call('XACK', stream, 'flox', unpack(list))
  call('XDEL', stream, unpack(list))
end
if #ended > 0 then
  local out, into = {}, {}
  for i, run in ipairs(ended) do
    local member = run[1] .. '|' .. run[2]
    out[i], into[2 * i - 1], into[2 * i] = member, stamp, member
    call('PUBLISH', ARGV[1], run[1] .. ' completed')
  end
  call('ZREM', KEYS[1], unpack(out))
  call('ZADD', KEYS[2], unpack(into))
  for workflow, n in pairs(counts) do
    try('HINCRBY', KEYS[3], workflow .. ':running', -n)
    try('HINCRBY', KEYS[3], workflow .. ':completed', n)
  end
end
return reply
