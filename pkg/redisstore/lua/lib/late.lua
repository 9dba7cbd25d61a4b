-- What comes too late for a join that fired without it. A closed frame, whose
-- quorum was reached, has need x.

-- late says whether a frame that the token stands in, at any depth, is closed. It
-- costs nothing in a run with no closed frame.
local function late(R, t)
  if not R.h.closed or tonumber(R.h.closed) <= 0 then return false end
  local id = t.frame
  for _ = 1, 10000 do -- one that stands in itself was damaged
    if not id or id == '' then return false end
    local raw = redis.call('HGET', R.key, 'f:' .. id)
    if not raw then return false end
    local parent, need = string.match(raw,
      '^[^|]*|[^|]*|[^|]*|[^|]*|([^|]*)|[^|]*|[^|]*|[^|]*|?([^|]*)')
    if need == 'x' then return true end
    id = parent
  end
  return false
end
