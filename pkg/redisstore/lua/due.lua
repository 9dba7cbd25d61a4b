#!lua flags=allow-oom
-- Finds delayed tokens that are due.
-- uses: base
-- KEYS[1] timers
-- ARGV[1] most tokens
-- Returns: {ms until the next token that is not among them is due, or -1, {run/token, ...}}
local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if #first == 0 then return {-1, {}} end
local now = num(clock())
if tonumber(first[2]) > tonumber(now) then return {tonumber(first[2]) - tonumber(now), {}} end
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
local after = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '+inf', 'WITHSCORES', 'LIMIT', #due, 1)
if #after == 0 then return {-1, due} end
return {math.max(0, tonumber(after[2]) - tonumber(now)), due}
