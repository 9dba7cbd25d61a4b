#!lua flags=allow-oom
-- Tells whether a timer belongs to nothing: no token waits for it, or no run has
-- that deadline. If asked to, it removes such a timer.
-- uses: base token
-- KEYS[1] the run
-- KEYS[2] timers
-- ARGV[1] member
-- ARGV[2] token, or nothing for a deadline
-- ARGV[3] 1 to remove it, else 0
-- Returns: 1 it belongs to nothing, 0 it does not, is gone, or nobody can tell
if not redis.call('ZSCORE', KEYS[2], ARGV[1]) then return 0 end
local R = read_run(KEYS[1], {'status', 'deadline', 't:' .. ARGV[2]})
if not R then return 0 end
local h, wanted = R.h, false
local raw = h['t:' .. ARGV[2]]
if ARGV[2] == '' then
  wanted = h.deadline and (h.status == 'running' or h.status == 'paused' or h.status == 'undoing')
elseif h.status and raw then
  local t = read_token(raw)
  wanted = not t or t.loc == 'd' or (t.loc == 'w' and t.due ~= '0')
end
if wanted then return 0 end
if ARGV[3] == '1' then redis.call('ZREM', KEYS[2], ARGV[1]) end
return 1
