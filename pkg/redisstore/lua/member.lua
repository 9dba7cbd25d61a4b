#!lua flags=allow-oom
-- Tells whether a member of an index is there without its run. If asked to, it
-- removes such a member.
-- uses: base
-- KEYS[1] the run
-- KEYS[2] index
-- ARGV[1] member
-- ARGV[2] workflow that the run must have, or nothing for any
-- ARGV[3] statuses that belong there, each with a space around, or nothing for any
-- ARGV[4] 1 to remove it, else 0
-- Returns: 1 the run is not there, or does not belong there, 0 it does, the member
-- is gone, or nobody can tell
if not redis.call('ZSCORE', KEYS[2], ARGV[1]) then return 0 end
local R = read_run(KEYS[1], {'status', 'workflow'})
if not R then return 0 end
local h = R.h
if h.status and (ARGV[2] == '' or h.workflow == ARGV[2])
  and (ARGV[3] == '' or string.find(ARGV[3], ' ' .. h.status .. ' ', 1, true)) then
  return 0
end
if ARGV[4] == '1' then redis.call('ZREM', KEYS[2], ARGV[1]) end
return 1
