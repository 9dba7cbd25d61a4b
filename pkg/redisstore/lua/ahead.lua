#!lua flags=allow-oom
-- Lists the workers whose last beat is in the future: the clock was set back, and
-- they would seem to be alive until it has caught up. If asked to, it lets them
-- have been seen now.
-- uses: base
-- KEYS[1] workers by their last beat
-- ARGV[1] 1 to put it right, else 0
-- Returns: {worker, how far its beat is ahead, in ms, ...}
local now, found = clock(), {}
local beats = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. num(now + 1000), '+inf', 'WITHSCORES')
for i = 1, #beats, 2 do
  found[#found + 1] = beats[i]
  found[#found + 1] = tonumber(beats[i + 1]) - now
  if ARGV[1] == '1' then redis.call('ZADD', KEYS[1], num(now), beats[i]) end
end
return found
