#!lua flags=allow-oom
-- Reads the state log after a version: all of it, if a part of what is asked for
-- was folded into the snapshot.
-- uses: base
-- KEYS[1] the run
-- KEYS[2] its state log
-- ARGV[1] version
-- Returns: {0, version after the last delta, {deltas}, how many deltas the snapshot
-- stands for, 1 if it is there, before the deltas, else 0}; {2} no such run; {9} a
-- key of the run is of a wrong type
local R = open_run(KEYS[1], {'sv', 'sb'}, 'status')
if not R then return {9} end
if not R.h.status then return {2} end
local since, folded, from = tonumber(ARGV[1]), tonumber(R.h.sb or 0), 0
local whole = since < folded
-- After a snapshot, which takes one place, the first delta is number folded + 1.
if not whole then from = since - folded + (folded > 0 and 1 or 0) end
local deltas = redis.pcall('LRANGE', KEYS[2], num(from), -1)
if deltas.err then return {9} end
return {0, tonumber(R.h.sv or 0), deltas, folded, whole and 1 or 0}
