#!lua flags=allow-oom
-- Finds entries whose lease ran out, the caller's own included.
-- KEYS[1] stream
-- ARGV[1] lease in ms
-- ARGV[2] most entries
-- Returns: {entry, run, token, ...}
local found = {}
for _, p in ipairs(redis.call('XPENDING', KEYS[1], 'flox', 'IDLE', ARGV[1], '-', '+', ARGV[2])) do
  local entry = redis.call('XRANGE', KEYS[1], p[1], p[1])[1]
  if entry then
    found[#found + 1] = p[1]
    found[#found + 1] = entry[2][2]
    found[#found + 1] = entry[2][4]
  else
    redis.call('XACK', KEYS[1], 'flox', p[1])
  end
end
return found
