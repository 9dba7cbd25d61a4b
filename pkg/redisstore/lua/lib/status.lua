-- Changes of a run's status, told to the counts and the watchers.

local function change(R, run, status, stats, events)
  local old = R.h.status
  set(R, 'status', status)
  R.h.status = status
  redis.call('HINCRBY', stats, R.h.workflow .. ':' .. old, -1)
  redis.call('HINCRBY', stats, R.h.workflow .. ':' .. status, 1)
  redis.call('PUBLISH', events, run .. ' ' .. status)
end

-- end_run makes a run terminal and moves it to another index.
local function end_run(R, run, status, cause, now, active, index, stats, events)
  set(R, 'ended', num(now))
  set(R, 'cause', cause)
  local member = run .. '|' .. R.h.workflow
  redis.call('ZREM', active, member)
  redis.call('ZADD', index, num(now), member)
  change(R, run, status, stats, events)
end
