#!lua flags=no-writes
-- Lists the workers that were seen lately.
-- uses: base
-- KEYS[1] workers by their last beat
-- ARGV[1] how lately, in ms
-- Returns: {id, ms since the last beat, ...}
local now, found = clock(), {}
local beats = redis.call('ZRANGEBYSCORE', KEYS[1], num(now - tonumber(ARGV[1])), '+inf', 'WITHSCORES')
for i = 1, #beats, 2 do
  found[#found + 1] = beats[i]
  found[#found + 1] = math.max(0, now - tonumber(beats[i + 1]))
end
return found
