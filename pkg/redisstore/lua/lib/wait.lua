-- Tokens that wait for a signal: w:<name> lists them, the first to come in front.

local function waiters(R, name) return value(R, 'w:' .. name) or '' end

local function put_waiters(R, name, list)
  R.h['w:' .. name] = list
  if list == '' then unset(R, 'w:' .. name) else set(R, 'w:' .. name, list) end
end

local function unwait(R, tok, t)
  local list = ',' .. waiters(R, t.wait) .. ','
  local at, to = string.find(list, ',' .. tok .. ',', 1, true)
  if at then list = string.sub(list, 1, at) .. string.sub(list, to + 1) end
  put_waiters(R, t.wait, string.sub(list, 2, -2))
  t.wait = ''
end

-- wake ends a wait. The flag says what ended it.
local function wake(R, run, tok, t, flag, q)
  unwait(R, tok, t)
  t.due, t.flags = '0', t.flags .. flag
  place(R, run, tok, t, q)
  put_token(R, tok, t)
end
