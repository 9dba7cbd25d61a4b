#!lua flags=allow-oom
-- Replaces the oldest deltas of a run's state by a snapshot that stands for them.
-- The state log is the snapshot, if there is one, and the deltas after it.
-- uses: base
-- KEYS[1] the run
-- KEYS[2] its state log
-- ARGV[1] how many deltas the snapshot stood for when the log was read
-- ARGV[2] how many more the new one stands for
-- ARGV[3] snapshot
-- Returns: 0 done, 1 refused, 9 a key of the run is of a wrong type
local R = open_run(KEYS[1], {'sv', 'sb'}, 'status', 'purging')
if not R then return 9 end
local folded, more = tonumber(R.h.sb or 0), tonumber(ARGV[2])
if not R.h.status or folded ~= tonumber(ARGV[1]) then return 1 end
if R.h.purging then return 1 end -- the log is about to be cut back
if more < 1 or more > tonumber(R.h.sv or 0) - folded then return 1 end
if folded > 0 then more = more + 1 end
if redis.pcall('LTRIM', KEYS[2], num(more), -1).err then return 9 end
redis.call('LPUSH', KEYS[2], ARGV[3])
add(R, 'sb', tonumber(ARGV[2]))
save(R)
return 0
