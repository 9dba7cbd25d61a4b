-- The record of a token, t:<token>, and the places where it can stand.

local TOKEN = '^([^|]*)|([^|]*)|([^|]*)|([^|]*)|([^|]*)|([^|]*)|([^|]*)|([^|]*)|([^|]*)|([^|]*)|' ..
  '([^|]*)|([^|]*)|([^|]*)|([^|]*)|([^|]*)|([^|]*)|([^|]*)|([^|]*)|([^|]*)(.*)$'

local function read_token(raw)
  local loc, eid, own, step, node, queue, att, crash, flags, frame,
    idx, from, count, rel, chunks, origin, framed, due, bounces, rest = string.match(raw, TOKEN)
  return {
    loc = loc, eid = eid, own = own, step = step, node = node, queue = queue, att = att,
    crash = crash, flags = flags, frame = frame, idx = idx, from = from, count = count, rel = rel,
    chunks = chunks, origin = origin, framed = framed, due = due, bounces = bounces, rest = rest,
  }
end

local function new_token(node, queue, frame, idx, from, count)
  return {
    loc = '', eid = '', own = '', step = '0', node = node, queue = queue, att = '0', crash = '0',
    flags = '', frame = frame, idx = idx, from = from, count = count, rel = '0', chunks = '0',
    origin = '0', framed = '0', due = '0', bounces = '0', rest = '',
  }
end

local function put_token(R, tok, t)
  set(R, 't:' .. tok, table.concat({
    t.loc, t.eid, t.own, t.step, t.node, t.queue, t.att, t.crash, t.flags, t.frame,
    t.idx, t.from, t.count, t.rel, t.chunks, t.origin, t.framed, t.due, t.bounces,
  }, '|') .. t.rest)
end

-- short keeps ids bounded: what is over 96 bytes is named by its hash.
local function short(path)
  if #path <= 96 then return path end
  return 'h-' .. redis.sha1hex(path)
end

-- release takes a queued token's entry out of its stream.
local function release(t, stream)
  redis.call('XACK', stream, 'flox', t.eid)
  redis.call('XDEL', stream, t.eid)
end

local function enqueue(R, run, tok, t, stream)
  if t.loc == 'p' then add(R, 'parked', -1) end
  t.eid = redis.call('XADD', stream, '*', 'r', run, 't', tok)
  t.own = ''
  t.loc = 'q'
end

local function park(R, t)
  t.loc = 'p'
  add(R, 'parked', 1)
end

-- delay lets the token stand nowhere but in the timers.
local function delay(run, tok, t, delayed, due)
  t.loc = 'd'
  t.due = num(due)
  redis.call('ZADD', delayed, t.due, run .. '/' .. tok)
end

-- lacks names the queue that place would need but was not given, if any.
local function lacks(R, q, queue)
  return R.h.status == 'running' and not q[queue]
end

-- place queues the token if its run is running, else parks it; it returns the verdict.
local function place(R, run, tok, t, q)
  if R.h.status == 'running' then
    enqueue(R, run, tok, t, q[t.queue])
    return 1
  end
  park(R, t)
  return 2
end

local function remove(R, tok)
  unset(R, 't:' .. tok)
  unset(R, 'i:' .. tok)
  add(R, 'live', -1)
end

-- drop removes a token of a cancelled run, wherever it stands.
local function drop(R, run, tok, t, stream, delayed)
  if t.loc == 'q' then release(t, stream) end
  if t.loc == 'd' then redis.call('ZREM', delayed, run .. '/' .. tok) end
  if t.loc == 'p' then add(R, 'parked', -1) end
  remove(R, tok)
  add(R, 'dropped', 1)
end

-- make adds a token to the run.
local function make(R, run, tok, t, q)
  add(R, 'live', 1)
  add(R, 'created', 1)
  place(R, run, tok, t, q)
  put_token(R, tok, t)
end

-- consume deletes the deposits that were the token's input.
local function consume(R, t)
  if t.from == '' then return end
  for n = 1, tonumber(t.count) do unset(R, 'd:' .. t.from .. ':' .. n) end
  unset(R, 'c:' .. t.from)
  t.from = ''
  t.count = '0'
end

-- step_on begins the token's next step, with nothing held against it.
local function step_on(t)
  t.step = tonumber(t.step) + 1
  t.att, t.crash, t.bounces = '0', '0', '0'
  t.flags = ''
end

-- advance moves the token to a node.
local function advance(R, tok, t, node, queue, input)
  step_on(t)
  consume(R, t)
  t.node, t.queue = node, queue
  set(R, 'i:' .. tok, input)
  add(R, 'created', 1)
end
