-- Changes of a run's status, told to the counts, the watchers and the workers: these
-- lose nothing by a completion. at names the keys: active, completed, failed,
-- cancelled (indexes), stats, delayed, todo, and events, the channel.

local function change(R, run, status, at)
  local old = R.h.status
  set(R, 'status', status)
  R.h.status = status
  redis.call('HINCRBY', at.stats, R.h.workflow .. ':' .. old, -1)
  redis.call('HINCRBY', at.stats, R.h.workflow .. ':' .. status, 1)
  redis.call('PUBLISH', at.events, run .. ' ' .. status)
  if status ~= 'completed' then alert(at.events, run .. ' ' .. status) end
end

-- forget_visits drops what a retry from a node would go on from.
local function forget_visits(R)
  local kept = value(R, 'kept')
  if not kept then return end
  for node in string.gmatch(kept, '[^,]+') do unset(R, 'r:' .. node) end
  unset(R, 'kept')
end

-- refuse_end answers if the run can neither end nor begin to undo, see refuse.
local function refuse_end(at)
  return refuse('HLEN', at.stats)
    or refuse('ZCARD', at.active, at.failed, at.delayed, at.todo, at.completed or at.failed)
end

-- end_run makes a run terminal and moves it to another index. Without a cause it
-- keeps the one it has. R.over is for done, see fence.lua, and for ended.
local function end_run(R, run, status, cause, now, at)
  R.over = {status, math.max(0, now - (tonumber(value(R, 'started')) or now)), cause}
  set(R, 'ended', num(now))
  if cause then set(R, 'cause', cause) end
  local member = run .. '|' .. R.h.workflow
  redis.call('ZREM', at.active, member)
  redis.call('ZADD', at[status], num(now), member)
  if R.h.deadline then redis.call('ZREM', at.delayed, run .. '/') end
  if status ~= 'failed' then forget_visits(R) end
  change(R, run, status, at)
end

-- ended tells of the run if the script has ended it: how, ms that it lasted, its
-- workflow, its place in a trace or nil, the cause.
local function ended(R)
  if not R.over then return false end
  local status, lasted, cause = unpack(R.over, 1, 3)
  return {status, lasted, R.h.workflow, value(R, 'trace') or false, cause or value(R, 'cause') or ''}
end

-- fail_run fails a run, or has it undo first what it can undo, or what tokens that
-- are out may yet do. failure is the error's record, if it was one.
local function fail_run(R, run, cause, failure, now, at, out)
  if failure then set(R, 'failure', num(now) .. '|' .. failure) end
  if tonumber(R.h.undos or 0) == 0 and not (out and R.h.undoes) then
    return end_run(R, run, 'failed', cause, now, at)
  end
  set(R, 'cause', cause)
  set(R, 'undoing', '1')
  forget_visits(R)
  redis.call('ZADD', at.todo, num(now), run)
  change(R, run, 'undoing', at)
end

-- revive lets a failed run go on.
local function revive(R, run, status, at)
  change(R, run, status, at)
  if status == 'running' then
    unset(R, 'cause')
    unset(R, 'failure')
  end
  unset(R, 'ended')
  unset(R, 'deadline')
  local member = run .. '|' .. R.h.workflow
  redis.call('ZREM', at.failed, member)
  redis.call('ZADD', at.active, R.h.started, member)
end
