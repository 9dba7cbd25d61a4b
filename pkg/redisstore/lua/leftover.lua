#!lua flags=allow-oom
-- Tells whether a key of a run is there without the run. If asked to, it removes it.
-- KEYS[1] the key
-- KEYS[2] the run
-- ARGV[1] type that flox gives it; a key of another is left alone
-- ARGV[2] 1 to remove it, else 0
-- Returns: {1 if the run is not there, else 0, type of the key}
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= ARGV[1] or redis.call('EXISTS', KEYS[2]) == 1 then return {0, kind} end
if ARGV[2] == '1' then redis.call('UNLINK', KEYS[1]) end
return {1, kind}
