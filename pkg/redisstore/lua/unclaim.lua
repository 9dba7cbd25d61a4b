#!lua flags=allow-oom
-- Queues the token of an entry again that was claimed and not loaded.
-- uses: base token
-- KEYS[1] the run
-- KEYS[2] stream of the entry
-- ARGV[1] run id
-- ARGV[2] token
-- ARGV[3] entry
-- ARGV[4] queue of the entry
-- Returns: 0 queued again, 1 parked or dropped, 2 a stray, 3 somebody holds it,
-- 4 the run's key is of a wrong type, or what it says cannot be read
local run, tok, stream = ARGV[1], ARGV[2], KEYS[2]
local R = open_run(KEYS[1], {'live', 'dropped', 'parked'}, 'status', 't:' .. tok)
if not R then return 4 end
local raw = R.h.status and R.h['t:' .. tok]
local t = raw and read_token(raw)
if raw and not t then return 4 end
if not t or t.loc ~= 'q' or t.eid ~= ARGV[3] or t.queue ~= ARGV[4] then
  release({eid = ARGV[3]}, stream)
  return 2
end
if t.own ~= '' then return 3 end
if R.h.status == 'cancelled' then
  drop(R, run, tok, t, stream)
  save(R)
  return 1
end
release(t, stream)
local verdict = place(R, run, tok, t, {[t.queue] = stream})
put_token(R, tok, t)
save(R)
return verdict - 1
