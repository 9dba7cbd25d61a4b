#!lua flags=allow-oom
-- Compares the counts by workflow and status with the indexes. If asked to, it
-- counts anew. The runs' own keys are in the slot of the others; which they are is
-- known here only.
-- KEYS[1] counts by workflow and status
-- KEYS[2] index of the runs that have not ended
-- KEYS[3] index of the completed runs
-- KEYS[4] index of the failed runs
-- KEYS[5] index of the cancelled runs
-- ARGV[1] what the runs' keys begin with
-- ARGV[2] most runs that are counted one by one
-- ARGV[3] 1 to count anew, else 0
-- Returns: {0} they agree; {1, {"workflow:status", count, runs, ...}} they do not;
-- {2, runs} they do not, and the runs are too many to be counted in one go
local indexes = {active = KEYS[2], completed = KEYS[3], failed = KEYS[4], cancelled = KEYS[5]}
local have, sums, seen, agree = {}, {active = 0, completed = 0, failed = 0, cancelled = 0}, 0, true
local stats = redis.call('HGETALL', KEYS[1])
for i = 1, #stats, 2 do
  local status = string.match(stats[i], ':([^:]*)$') or ''
  local index = indexes[status] and status or 'active'
  -- What is no whole number cannot be counted on from: it is wrong as -1 is.
  local whole = #stats[i + 1] < 16 and string.find(stats[i + 1], '^%-?%d+$')
  have[stats[i]] = whole and tonumber(stats[i + 1]) or -1
  sums[index] = sums[index] + have[stats[i]]
  agree = agree and have[stats[i]] >= 0
end
for name, index in pairs(indexes) do
  local members = redis.call('ZCARD', index)
  seen = seen + members
  agree = agree and members == sums[name]
end
if seen > tonumber(ARGV[2]) then
  if agree then return {0} end
  return {2, seen}
end

local want = {}
for name, index in pairs(indexes) do
  for from = 0, redis.call('ZCARD', index) - 1, 1000 do
    for _, member in ipairs(redis.call('ZRANGE', index, from, from + 999)) do
      local run, workflow = string.match(member, '^([^|]*)|(.*)$')
      local status = name
      if name == 'active' then
        local reply = redis.pcall('HGET', ARGV[1] .. (run or ''), 'status')
        status = type(reply) == 'string' and reply or 'running'
      end
      local field = (workflow or '') .. ':' .. status
      want[field] = (want[field] or 0) + 1
    end
  end
end
local differ = {}
for field, count in pairs(want) do
  if have[field] ~= count then differ[#differ + 1] = {field, have[field] or 0, count} end
end
for field, count in pairs(have) do
  if not want[field] and count ~= 0 then differ[#differ + 1] = {field, count, 0} end
end
if #differ == 0 then return {0} end
local listed = {}
for _, d in ipairs(differ) do
  if ARGV[3] == '1' then
    if d[3] == 0 then redis.call('HDEL', KEYS[1], d[1]) else redis.call('HSET', KEYS[1], d[1], d[3]) end
  end
  for i = 1, 3 do listed[#listed + 1] = d[i] end
end
return {1, listed}
