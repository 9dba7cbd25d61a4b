#!lua flags=allow-oom
-- Reads the kept errors of a run.
-- uses: base
-- KEYS[1] the run
-- KEYS[2] its errors
-- Returns: {0, errors ever, {slot, record, ...}}, an error's slot is its number
-- modulo 100; {2} no such run; {9} a key of the run is of a wrong type
local R = open_run(KEYS[1], {'errs'}, 'status')
if not R then return {9} end
if not R.h.status then return {2} end
local records = redis.pcall('HGETALL', KEYS[2])
if records.err then return {9} end
return {0, tonumber(R.h.errs or 0), records}
