#!lua flags=allow-oom
-- Measures a queue.
-- uses: base
-- KEYS[1] stream
-- Returns: {entries, pending entries, ms since the oldest was added, entries that
-- were ever added, or -1 if the server does not count them}
local entries, added = redis.call('XLEN', KEYS[1]), -1
if redis.call('EXISTS', KEYS[1]) == 0 then return {0, 0, 0, 0} end
local info = redis.pcall('XINFO', 'STREAM', KEYS[1])
if not info.err then
  for i = 1, #info - 1, 2 do
    if info[i] == 'entries-added' then added = info[i + 1] end
  end
end
if entries == 0 then return {0, 0, 0, added} end
local pending = redis.pcall('XPENDING', KEYS[1], 'flox')
local oldest = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1][1]
local leased = 0
-- Without a group nobody has claimed anything yet.
if not pending.err then leased = tonumber(pending[1]) end
return {entries, leased, math.max(0, clock() - tonumber(string.match(oldest, '^(%d+)'))), added}
