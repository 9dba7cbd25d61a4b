#!lua flags=no-writes,allow-cross-slot-keys
-- Reads all keys of a partition, or of what a server has, at one moment.
-- KEYS[1] any key of the partition, which tells a Cluster its slot; none: all that the server has
-- ARGV[1] what the partition's keys begin with
-- Returns: {the server's time in ms, {key, type, what it holds} ...}
local t = redis.call('TIME')
local dump = {string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))}
local function stream(key)
  local groups = redis.call('XINFO', 'GROUPS', key)
  local pending, consumers = {}, {}
  for _, group in ipairs(groups) do
    for i = 1, #group - 1, 2 do
      if group[i] == 'name' and group[i + 1] == 'flox' then
        pending = redis.call('XPENDING', key, 'flox', '-', '+', 1000000000)
        consumers = redis.call('XINFO', 'CONSUMERS', key, 'flox')
      end
    end
  end
  return {redis.call('XRANGE', key, '-', '+'), groups, pending, consumers}
end
for _, key in ipairs(redis.call('KEYS', ARGV[1] .. '*')) do
  local kind, value = redis.call('TYPE', key).ok, {}
  if kind == 'hash' then value = redis.call('HGETALL', key)
  elseif kind == 'list' then value = redis.call('LRANGE', key, 0, -1)
  elseif kind == 'zset' then value = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
  elseif kind == 'stream' then value = stream(key) end
  dump[#dump + 1] = {key, kind, value}
end
return dump
