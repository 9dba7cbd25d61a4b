#!lua flags=no-writes
-- Reads some of a run's history, the oldest first. A list that is full has lost its
-- oldest records: what came before them is left out, too.
-- uses: base
-- KEYS[1] the run
-- KEYS[2] its history
-- ARGV[1] how many records to pass over
-- ARGV[2] how many to return at most
-- Returns: {0, {records}}; {2} no such run; {9} a key of the run is of a wrong type
local from, most, fields = tonumber(ARGV[1]), tonumber(ARGV[2]), {'status'}
for n = 1, 16 do fields[n + 1] = 'h:' .. n end
local values, length = redis.pcall('HMGET', KEYS[1], unpack(fields)), redis.pcall('LLEN', KEYS[2])
if values.err or type(length) == 'table' then return {9} end
if not values[1] then return {2} end
local first, records = {}, {}
for i = 2, #fields do
  if values[i] and length < 10000 then first[#first + 1] = values[i] end
end
for i = from + 1, math.min(from + most, #first) do records[#records + 1] = first[i] end
local left = most - #records
if left > 0 and from + #records < #first + length then
  local start = math.max(from - #first, 0)
  for _, record in ipairs(redis.call('LRANGE', KEYS[2], num(start), num(start + left - 1))) do
    records[#records + 1] = record
  end
end
return {0, records}
