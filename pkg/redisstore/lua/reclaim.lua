#!lua flags=allow-oom
-- Moves one entry whose lease ran out to another consumer. Only what was
-- granted counts as a crash.
-- uses: base token
-- KEYS[1] the run
-- KEYS[2] stream of the entry
-- ARGV[1] run id
-- ARGV[2] token
-- ARGV[3] entry
-- ARGV[4] queue of the entry
-- ARGV[5] consumer that takes it
-- ARGV[6] lease in ms
-- Returns: {0, how often its item was started and lost} taken; 1 not expired any more, 2 a stray, 3 dropped, 4 the run's key
-- is of a wrong type, or what it says cannot be read: taken, but of no use
local stream = KEYS[2]
if #redis.call('XPENDING', stream, 'flox', 'IDLE', ARGV[6], ARGV[3], ARGV[3], 1) == 0 then return 1 end
local tok = ARGV[2]
local R = open_run(KEYS[1], {'live', 'dropped', 'parked'}, 'status', 't:' .. tok)
local raw = R and R.h.status and R.h['t:' .. tok]
local t = raw and read_token(raw)
if not R or (raw and not t) then
  -- Nobody can tell what it points to. It must not stand in front of others for ever.
  redis.call('XCLAIM', stream, 'flox', ARGV[5], ARGV[6], ARGV[3], 'JUSTID')
  return 4
end
if not t or t.loc ~= 'q' or t.eid ~= ARGV[3] or t.queue ~= ARGV[4] then
  release({eid = ARGV[3]}, stream)
  return 2
end
if R.h.status == 'cancelled' then
  drop(R, ARGV[1], tok, t, stream)
  save(R)
  return 3
end
redis.call('XCLAIM', stream, 'flox', ARGV[5], ARGV[6], ARGV[3], 'JUSTID')
if t.own ~= '' then
  t.crash = tonumber(t.crash) + 1
  t.own = ''
  put_token(R, tok, t)
  save(R)
end
return {0, tonumber(t.crash)}
