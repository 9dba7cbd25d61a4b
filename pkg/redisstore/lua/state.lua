#!lua flags=allow-oom
-- Reads the state log after a version.
-- uses: base
-- KEYS[1] the run
-- KEYS[2] its state log
-- ARGV[1] version
-- Returns: {0, version after the last delta, {deltas}}; {2} no such run; {9} a key
-- of the run is of a wrong type
local R = open_run(KEYS[1], {'status', 'sv'})
if not R then return {9} end
if not R.h.status then return {2} end
local deltas = redis.pcall('LRANGE', KEYS[2], ARGV[1], -1)
if deltas.err then return {9} end
return {0, tonumber(R.h.sv or 0), deltas}
