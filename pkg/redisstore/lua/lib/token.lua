-- The record of a token, t:<token>, and the places where it can stand: q in its
-- queue, d delayed, w waiting for a signal, p parked.
-- A record that does not fit is read as nil.
-- Flags: F the run failed of it, R the same before a retry of the run, S a signal has
-- ended its wait, T the time has.

local TOKEN = '^([qdwp])|([%d%-]*)|([^|]*)|(%d+)|([^|]*)|([^|]*)|(%d+)|(%d+)|(%u*)|([^|]*)|' ..
  '(%d+)|([^|]*)|(%d+)|(%d+)|(%d+)|(%d+)|([01])|(%d+)|(%d+)(.*)$'
-- What few tokens have stands behind, and only if one of it is there.
local MORE = '^|(%d*)|([^|]*)|([^|]*)(.*)$'
-- A point stands for what is behind the queue if that is as it was at first.
local AT_FIRST = '0|0|||0||0|0|0|0|0|0|0'
-- A count of more digits is not flox's, and would keep the server busy.
local MOST_DIGITS = 7

local function read_token(raw)
  if string.sub(raw, -2) == '|.' then raw = string.sub(raw, 1, -2) .. AT_FIRST end
  local loc, eid, own, step, node, queue, att, crash, flags, frame,
    idx, from, count, rel, chunks, origin, framed, due, bounces, rest = string.match(raw, TOKEN)
  if not loc or #count > MOST_DIGITS or #chunks > MOST_DIGITS then return nil end
  local since, wait, scope = '', '', ''
  if rest ~= '' then since, wait, scope, rest = string.match(rest, MORE) end
  if not rest or (loc == 'q' and not string.find(eid, '^%d+%-%d+$')) then return nil end
  return {
    loc = loc, eid = eid, own = own, step = step, node = node, queue = queue, att = att,
    crash = crash, flags = flags, frame = frame, idx = idx, from = from, count = count, rel = rel,
    chunks = chunks, origin = origin, framed = framed, due = due, bounces = bounces,
    since = since, wait = wait, scope = scope, rest = rest,
  }
end

local function new_token(node, queue, frame, idx, scope)
  return {
    loc = '', eid = '', own = '', step = '0', node = node, queue = queue, att = '0', crash = '0',
    flags = '', frame = frame, idx = idx, from = '', count = '0', rel = '0', chunks = '0',
    origin = '0', framed = '0', due = '0', bounces = '0', since = '', wait = '', scope = scope, rest = '',
  }
end

local function put_token(R, tok, t)
  local more = t.rest
  if t.since ~= '' or t.wait ~= '' or t.scope ~= '' or more ~= '' then
    more = '|' .. t.since .. '|' .. t.wait .. '|' .. t.scope .. more
  end
  local rest = table.concat({
    t.att, t.crash, t.flags, t.frame, t.idx, t.from, t.count, t.rel, t.chunks, t.origin, t.framed, t.due, t.bounces,
  }, '|') .. more
  if rest == AT_FIRST then rest = '.' end
  R.record = table.concat({t.loc, t.eid, t.own, t.step, t.node, t.queue, rest}, '|')
  set(R, 't:' .. tok, R.record)
end

-- short keeps ids bounded: what is over 96 bytes is named by its hash.
local function short(path)
  if #path <= 96 then return path end
  return 'h-' .. redis.sha1hex(path)
end

-- undoes says whether the token undoes what another one did.
local function undoes(tok) return string.byte(tok) == 117 end -- u

-- grants says whether the token may take a step.
local function grants(R, tok)
  local status = R.h.status
  return status == 'running' or (status == 'undoing' and undoes(tok))
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

-- shelve takes a token from its holder and parks it: the whole of a refusal.
local function shelve(R, tok, t, stream)
  release(t, stream)
  park(R, t)
  put_token(R, tok, t)
  save(R)
end

-- add_timer lets the workers know of a timer that is due before all others: they
-- sleep until the next one.
local function add_timer(delayed, member, due)
  redis.call('ZADD', delayed, due, member)
  if redis.call('ZRANGE', delayed, 0, 0)[1] ~= member then return end
  alert(delayed, '+' .. num(math.max(0, tonumber(due) - clock())))
end

-- delay lets the token stand nowhere but in the timers.
local function delay(run, tok, t, delayed, due)
  t.loc = 'd'
  t.due = num(due)
  add_timer(delayed, run .. '/' .. tok, t.due)
end

-- lacks says whether place would need the queue's stream but was not given it.
local function lacks(R, tok, q, queue)
  return grants(R, tok) and not q[queue]
end

-- place queues the token if it may take a step, else parks it; it returns the verdict.
local function place(R, run, tok, t, q)
  if grants(R, tok) then
    enqueue(R, run, tok, t, q[t.queue])
    return 1
  end
  park(R, t)
  return 2
end

local function remove(R, tok, t)
  unset(R, 't:' .. tok)
  unset(R, 'i:' .. tok)
  if t.flags ~= '' then unset(R, 's:' .. tok) end
  add(R, 'live', -1)
end

-- drop removes a token that is not to be done any more, wherever it stands. One
-- that waits is taken off its signal's list by the caller.
local function drop(R, run, tok, t, stream, delayed)
  if t.loc == 'q' then release(t, stream) end
  if t.loc == 'd' or (t.loc == 'w' and t.due ~= '0') then redis.call('ZREM', delayed, run .. '/' .. tok) end
  if t.loc == 'p' then add(R, 'parked', -1) end
  remove(R, tok, t)
  add(R, 'dropped', 1)
end

-- make adds a token to the run: placed, or delayed if it is due later.
local function make(R, run, tok, t, q, delayed, due)
  add(R, 'live', 1)
  add(R, 'created', 1)
  if due then delay(run, tok, t, delayed, due) else place(R, run, tok, t, q) end
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
  t.flags, t.since = '', ''
end

-- advance moves the token to a node.
local function advance(R, tok, t, node, queue, input)
  if t.flags ~= '' then unset(R, 's:' .. tok) end
  step_on(t)
  consume(R, t)
  t.node, t.queue = node, queue
  set(R, 'i:' .. tok, input)
  add(R, 'created', 1)
end
