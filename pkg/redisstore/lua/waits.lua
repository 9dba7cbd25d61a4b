#!lua flags=allow-oom
-- Tells whether the list of the tokens that wait for a signal is wrong: one that
-- waits is not in it, or one is that does not. If asked to, it mends it.
-- uses: base token wait
-- KEYS[1] the run
-- ARGV[1] signal
-- ARGV[2] tokens that may wait for it and not be listed, with commas between
-- ARGV[3] 1 to mend, else 0
-- Returns: 1 it is wrong, 0 it is not, or nobody can tell
local name = ARGV[1]
local R = read_run(KEYS[1], {'status', 'w:' .. name})
if not R or (R.h.status ~= 'running' and R.h.status ~= 'paused') then return 0 end
local before, right, seen = waiters(R, name), {}, {}
for tok in string.gmatch(before .. ',' .. ARGV[2], '[^,]+') do
  local t = read_token(not seen[tok] and redis.call('HGET', KEYS[1], 't:' .. tok) or '')
  if t and t.loc == 'w' and t.wait == name then right[#right + 1] = tok end
  seen[tok] = true
end
local list = table.concat(right, ',')
if list == before then return 0 end
if ARGV[3] == '1' then
  put_waiters(R, name, list)
  save(R)
end
return 1
