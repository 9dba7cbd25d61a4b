#!lua flags=no-writes
-- Measures a queue.
-- uses: base
-- KEYS[1] stream
-- Returns: {entries, pending entries, ms since the oldest was added, entries that
-- were ever added, or -1 if the server does not count them, ms since the oldest was
-- added that no worker has taken}
local entries, added = redis.call('XLEN', KEYS[1]), -1
if redis.call('EXISTS', KEYS[1]) == 0 then return {0, 0, 0, 0, 0} end
local info = redis.pcall('XINFO', 'STREAM', KEYS[1])
if not info.err then
  for i = 1, #info - 1, 2 do
    if info[i] == 'entries-added' then added = info[i + 1] end
  end
end
if entries == 0 then return {0, 0, 0, added, 0} end

local now = clock()
-- age is how old the first entry behind an id is.
local function age(behind)
  local first = redis.call('XRANGE', KEYS[1], behind, '+', 'COUNT', 1)[1]
  return first and math.max(0, now - tonumber(string.match(first[1], '^(%d+)'))) or 0
end

-- Without a group nobody has claimed anything yet.
local leased, taken = 0, '-'
local pending = redis.pcall('XPENDING', KEYS[1], 'flox')
if not pending.err then
  leased = tonumber(pending[1])
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
    local of = {}
    for i = 1, #group - 1, 2 do of[group[i]] = group[i + 1] end
    if of.name == 'flox' then taken = '(' .. of['last-delivered-id'] end
  end
end
return {entries, leased, age('-'), added, age(taken)}
