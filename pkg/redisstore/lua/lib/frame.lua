-- Frames: what is between a fan-out and its join.

local FRAME = '^([^|]*)|([^|]*)|([^|]*)|([^|]*)|([^|]*)|([^|]*)|([^|]*)|([^|]*)(.*)$'

-- read_frame returns nil if the token stands in no frame.
local function read_frame(R, id)
  if id == '' then return nil end
  local raw = redis.call('HGET', R.key, 'f:' .. id)
  if not raw then return nil end
  local f = {id = id}
  f.live, f.n, f.join, f.queue, f.parent, f.pidx, f.arrived, f.carry, f.rest = string.match(raw, FRAME)
  return f
end

local function put_frame(R, f)
  set(R, 'f:' .. f.id, table.concat({
    f.live, f.n, f.join, f.queue, f.parent, f.pidx, f.arrived, f.carry,
  }, '|') .. f.rest)
end

-- fires says whether one branch less makes the join's token.
local function fires(f) return f and tonumber(f.live) == 1 end

-- fire makes the token of the join. The deposits stay where they are; the
-- token's record says how many there are.
local function fire(R, run, f, q)
  local t = new_token(f.join, f.queue, f.parent, f.pidx, f.id, f.arrived)
  make(R, run, short(f.id .. '.j'), t, q)
end

-- lower counts one branch of the frame, if there is one, as arrived or ended.
local function lower(R, run, f, q)
  if not f then return end
  if fires(f) then
    unset(R, 'f:' .. f.id)
    fire(R, run, f, q)
    return
  end
  f.live = tonumber(f.live) - 1
  put_frame(R, f)
end

-- finish ends a run that has no token left.
local function finish(R, run, now, active, completed, failures, stats, events)
  if R.h.live > 0 then return end
  local h = R.h
  local outs, ends = tonumber(h.outs or 0), tonumber(h.ends or 0)
  if outs > 0 or (h.need ~= '1' and ends > 0) then
    end_run(R, run, 'completed', '', now, active, completed, stats, events)
  else
    end_run(R, run, 'failed', 'ended with no output', now, active, failures, stats, events)
  end
end
