#!lua flags=allow-oom
-- Finds claimed entries: those whose lease ran out, whoever has them, or those of
-- one consumer.
-- KEYS[1] stream
-- ARGV[1] ms that they were not renewed for, at least
-- ARGV[2] most entries
-- ARGV[3] whose, or empty for anybody's
-- Returns: {entry, run, token, ...}
local args = {'XPENDING', KEYS[1], 'flox', 'IDLE', ARGV[1], '-', '+', ARGV[2]}
if ARGV[3] ~= '' then args[#args + 1] = ARGV[3] end
local found = {}
for _, p in ipairs(redis.call(unpack(args))) do
  local entry = redis.call('XRANGE', KEYS[1], p[1], p[1])[1]
  if entry then
    local of = {}
    for i = 1, #entry[2] - 1, 2 do of[entry[2][i]] = entry[2][i + 1] end
    found[#found + 1] = p[1]
    found[#found + 1] = of.r or ''
    found[#found + 1] = of.t or ''
  else
    redis.call('XACK', KEYS[1], 'flox', p[1])
  end
end
return found
