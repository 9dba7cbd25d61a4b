-- The end of a run that has no token left, or the next thing to undo.

local function completes(R)
  local h = R.h
  return h.status ~= 'undoing'
    and (tonumber(h.outs or 0) > 0 or (h.need ~= '1' and tonumber(h.ends or 0) > 0))
end

-- upcoming returns what finish would begin to undo if so many tokens were left:
-- {node, queue, input}, or nil. Of what cannot be read nothing is undone any more.
local function upcoming(R, live)
  local n = tonumber(R.h.undos or 0)
  if live > 0 or n == 0 or R.h.status == 'failed' or completes(R) then return nil end
  local field = 'u:' .. num(n)
  local node, queue, input = string.match(value(R, field) or '', '^([^|]*)|([^|]*)|(.*)$')
  return node and {node = node, queue = queue, input = input}
end

-- finish ends the run, or makes the token of what is undone next. It does nothing
-- in a run that has ended: one that failed while tokens were out stays failed when
-- the last of them ends.
local function finish(R, run, now, at, q)
  if tonumber(R.h.live) > 0 or R.h.status == 'failed' then return end
  if completes(R) then return end_run(R, run, 'completed', '', now, at) end
  local u = upcoming(R, 0)
  if R.h.status ~= 'undoing' then
    local cause, holds = 'ended with no output', value(R, 'holds')
    if holds then cause = cause .. ': held ' .. string.gsub(holds, ',', ', ') end
    fail_run(R, run, cause, nil, now, at)
    if not u then return end
  end
  -- Nobody stands in a frame any more.
  if R.h.closed then add(R, 'closed', -tonumber(R.h.closed)) end
  if not u then return end_run(R, run, 'failed', nil, now, at) end
  local n = num(tonumber(R.h.undos))
  unset(R, 'u:' .. n)
  add(R, 'undos', -1)
  set(R, 'i:u' .. n, u.input)
  make(R, run, 'u' .. n, new_token(u.node, u.queue, '', '0', ''), q)
end
