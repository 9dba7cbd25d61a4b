-- Frames, f:<frame>: what is between a fan-out and its join. need is how many
-- arrivals fire the join (0: all branches are waited for, x: it has fired while
-- some were out), scope is that of the token that fanned out.

local FRAME = '^(%d+)|(%d+)|([^|]*)|([^|]*)|([^|]*)|(%d+)|(%d+)|([01])(.*)$'

-- read_frame returns nil if the token stands in no frame. If the record cannot be
-- read, it says so in R.spoilt: nothing may be written then.
local function read_frame(R, id)
  if id == '' then return nil end
  local raw = redis.call('HGET', R.key, 'f:' .. id)
  if not raw then return nil end
  local f, rest = {id = id, need = '0', scope = ''}, nil
  f.live, f.n, f.join, f.queue, f.parent, f.pidx, f.arrived, f.carry, rest = string.match(raw, FRAME)
  f.rest = rest
  if rest and rest ~= '' then f.need, f.scope, f.rest = string.match(rest, '^|([%dx]+)|([^|]*)(.*)$') end
  if not f.rest then
    R.spoilt = true
    return nil
  end
  return f
end

local function put_frame(R, f)
  set(R, 'f:' .. f.id, table.concat({
    f.live, f.n, f.join, f.queue, f.parent, f.pidx, f.arrived, f.carry, f.need, f.scope,
  }, '|') .. f.rest)
end

-- fires says whether one branch less makes the join's token, when what it leaves
-- has been counted as arrived. A run that undoes joins nothing any more.
local function fires(R, f, arrives)
  if not f or R.h.status == 'undoing' then return false end
  return tonumber(f.live) == 1 or (arrives and tonumber(f.arrived) == tonumber(f.need))
end

-- fire makes the token of the join. The deposits stay where they are; the
-- token's record says how many there are.
local function fire(R, run, f, q)
  if R.h.status == 'undoing' then return end
  local t = new_token(f.join, f.queue, f.parent, f.pidx, f.scope)
  t.from, t.count = f.id, f.arrived
  make(R, run, short(f.id .. '.j'), t, q)
end

-- arrive leaves at the frame's join what a branch came with, and whose item it was.
local function arrive(R, f, idx, tok, t, payload)
  f.arrived = tonumber(f.arrived) + 1
  set(R, 'd:' .. f.id .. ':' .. num(f.arrived), idx .. '|' .. tok .. '.' .. t.step .. '|' .. payload)
end

-- lower counts one branch of the frame, if there is one, as arrived or ended. It
-- returns whether the frame is closed by that: the join fired, others are out.
local function lower(R, run, f, q, arrives)
  if not f then return false end
  local fired, last = fires(R, f, arrives), tonumber(f.live) == 1
  if fired then fire(R, run, f, q) end
  if last then
    unset(R, 'f:' .. f.id)
    return false
  end
  f.live = tonumber(f.live) - 1
  if fired then
    f.need = 'x'
    add(R, 'closed', 1)
  end
  put_frame(R, f)
  return fired
end

-- close_news marks a run with a frame that was just closed, and wakes the workers
-- to look at their leases. The status is what it was.
local function close_news(R, run, now, at)
  redis.call('ZADD', at.todo, num(now), run)
  alert(at.events, run .. ' ' .. R.h.status)
end
