-- The end of a run that has no token left, or the next thing to undo.

local function completes(R)
  local h = R.h
  return h.status ~= 'undoing'
    and (tonumber(h.outs or 0) > 0 or (h.need ~= '1' and tonumber(h.ends or 0) > 0))
end

-- upcoming returns what finish would begin to undo if so many tokens were left:
-- {node, queue, input}, or nil.
local function upcoming(R, live)
  local n = tonumber(R.h.undos or 0)
  if live > 0 or n == 0 or R.h.status == 'failed' or completes(R) then return nil end
  local field = 'u:' .. num(n)
  local node, queue, input = string.match(R.h[field] or redis.call('HGET', R.key, field), '^([^|]*)|([^|]*)|(.*)$')
  return {node = node, queue = queue, input = input}
end

-- undo makes the token of what was recorded last and is not undone yet.
local function undo(R, run, u, q)
  local n = num(R.h.undos)
  unset(R, 'u:' .. n)
  add(R, 'undos', -1)
  set(R, 'i:u' .. n, u.input)
  make(R, run, 'u' .. n, new_token(u.node, u.queue, '', '0', ''), q)
end

local function nothing_came(R)
  if tonumber(R.h.held or 0) == 0 then return 'ended with no output' end
  local holds = R.h.holds or redis.call('HGET', R.key, 'holds')
  return 'ended with no output: held ' .. (string.gsub(holds, ',', ', '))
end

-- finish does nothing in a run that has ended: one that failed while tokens were
-- out stays failed when the last of them ends.
local function finish(R, run, now, at, q)
  if tonumber(R.h.live) > 0 or R.h.status == 'failed' then return end
  local u = upcoming(R, 0)
  if completes(R) then
    return end_run(R, run, 'completed', '', now, at)
  end
  if R.h.status ~= 'undoing' then
    fail_run(R, run, nothing_came(R), nil, now, at)
    if not u then return end
  end
  -- Nobody stands in a frame any more.
  if R.h.closed then add(R, 'closed', -R.h.closed) end
  if u then
    undo(R, run, u, q)
  else
    end_run(R, run, 'failed', nil, now, at)
  end
end
