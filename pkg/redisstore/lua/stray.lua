#!lua flags=allow-oom
-- Tells whether an entry points to nothing: no record points back to it. If asked
-- to, it removes such an entry.
-- uses: base token
-- KEYS[1] the run
-- KEYS[2] stream of the entry
-- ARGV[1] token
-- ARGV[2] entry
-- ARGV[3] queue of the entry
-- ARGV[4] 1 to remove it, else 0
-- Returns: 1 it points to nothing, 0 it does not, is gone, or nobody can tell
if #redis.call('XRANGE', KEYS[2], ARGV[2], ARGV[2]) == 0 then return 0 end
local R = read_run(KEYS[1], {'status', 't:' .. ARGV[1]})
if not R then return 0 end
local raw = R.h.status and R.h['t:' .. ARGV[1]]
local t = raw and read_token(raw)
if raw and not t then return 0 end
if t and t.loc == 'q' and t.eid == ARGV[2] and t.queue == ARGV[3] then return 0 end
if ARGV[4] == '1' then release({eid = ARGV[2]}, KEYS[2]) end
return 1
