-- The fence of every write: owner and step of the lease.

-- gone answers the holder of a token that is not there. Only the holder, or who
-- came after it, can have ended the token, unless a retry from a node dropped it.
-- A token that was made after n of those begins with r<n>, see restart.lua; one
-- that begins with neither that nor 0, the root, is taken for a new one.
local function gone(R, tok)
  local now = redis.call('HMGET', R.key, 'purging', 'gen')
  local made = string.match(tok, '^r(%d+)') or (string.byte(tok) ~= 48 and now[2]) or 0 -- 48: 0
  if now[1] or tonumber(made) < (tonumber(now[2] or 0) or 0) then return {5} end
  return {3}
end

-- fence returns the token if the lease holds, else nil and the reply. A step of nil
-- is whichever the token is at.
local function fence(R, tok, own, step, stream)
  local h = R.h
  if not h.status then return nil, {8} end
  if h.status == 'cancelled' then return nil, {6} end
  local raw = h['t:' .. tok]
  if not raw then return nil, gone(R, tok) end
  local t = read_token(raw)
  if not t then return nil, {9} end
  if t.own ~= own then return nil, {5} end
  if t.loc ~= 'q' then return nil, {3} end
  local now = not step or t.step == step
  if not now and tonumber(t.step) ~= tonumber(step) + 1 then return nil, {3} end
  if late(R, t) then
    shelve(R, tok, t, stream)
    return nil, {10, 0, 0, 0, 1}
  end
  if now then return t end
  -- The repeat of a commit that kept the lease grants the next step, so it
  -- looks at the status as every grant does.
  if grants(R, tok) then
    return nil, {0, 1, tonumber(h.sv or 0), tonumber(h.committed or 0)}
  end
  shelve(R, tok, t, stream)
  return nil, {2}
end

-- stale answers a commit that has read a state version the run does not have or,
-- if it is to be exact, not the newest: the item is done again on the fresh state.
local function stale(R, tok, t, read, stream, exact)
  local version, newest = tonumber(read), tonumber(R.h.sv or 0)
  if version == newest or (version < newest and not exact) then return nil end
  if grants(R, tok) then return {4, 0, newest, tonumber(R.h.committed or 0)} end
  shelve(R, tok, t, stream)
  return {2}
end

-- done answers a commit that took effect. Some leave work for settle.lua: 1 says
-- so. One that has ended the run says how, and how long it lasted; one whose token
-- stays says what its record is.
local function done(R, tok, verdict, closed)
  if R.over then return {verdict, 0, 0, 0, 0, R.over[1], R.over[2]} end
  if closed or (R.h.status == 'undoing' and not undoes(tok)) then return {verdict, 0, 0, 0, 1} end
  if verdict ~= 0 then return {verdict} end
  return {0, 0, tonumber(R.h.sv or 0), tonumber(R.h.committed or 0), 0, false, 0, R.record}
end

-- go_on leaves the token with its holder if asked to, else hands it on.
local function go_on(R, run, tok, t, keep, stream, q)
  local verdict = 0
  if not (keep and grants(R, tok)) then
    release(t, stream)
    verdict = place(R, run, tok, t, q)
  end
  put_token(R, tok, t)
  save(R)
  return done(R, tok, verdict)
end
