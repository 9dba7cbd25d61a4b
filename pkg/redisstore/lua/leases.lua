#!lua flags=allow-oom
-- Reads a part of what is claimed from a stream. If asked to, it forgets what is
-- claimed and not there any more.
-- KEYS[1] stream
-- ARGV[1] where to begin, as XPENDING takes it
-- ARGV[2] most entries
-- ARGV[3] 1 to forget, else 0
-- Returns: {entry, consumer, ms since it was claimed or renewed, 1 if it is there,
-- else 0, ...}
local found = {}
for _, p in ipairs(redis.call('XPENDING', KEYS[1], 'flox', ARGV[1], '+', ARGV[2])) do
  local there = #redis.call('XRANGE', KEYS[1], p[1], p[1])
  if there == 0 and ARGV[3] == '1' then redis.call('XACK', KEYS[1], 'flox', p[1]) end
  found[#found + 1] = p[1]
  found[#found + 1] = p[2]
  found[#found + 1] = p[3]
  found[#found + 1] = there
end
return found
