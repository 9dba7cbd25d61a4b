-- What every script needs. A run is opened with open_run, changed in memory with
-- add, set and unset, and written back by save, in one HSET and one HDEL.
--
-- Whatever stands in Redis may have been damaged there. A script that reads what
-- it cannot use answers so before it has written anything; it never fails halfway,
-- and never takes damage for a number.

-- num writes whole numbers in full; tostring would lose digits of a time in ms.
local function num(n) return string.format('%.0f', n) end

local function clock()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- alert tells the workers of the partition of a key what they act on: a run and
-- its status, or + and in how many ms a timer is due.
local function alert(key, news)
  redis.call('PUBLISH', string.gsub(key, '}:.*$', '}:alerts', 1), news)
end

-- read_run reads the named fields of a run, nil if the key is of a wrong type.
local function read_run(key, fields)
  local values = redis.pcall('HMGET', key, unpack(fields))
  if values.err then return nil end
  local h = {}
  for i, name in ipairs(fields) do h[name] = values[i] end
  return {key = key, h = h, changed = {}, puts = {}, dels = {}}
end

local function is_whole(text) return tonumber(text) and not string.find(text, '[^%d%-]') end

local function is_status(text)
  return text == 'running' or text == 'undoing' or text == 'paused' or text == 'completed'
    or text == 'failed' or text == 'cancelled'
end

-- is_sound says whether the fields that were read of a run can be worked with:
-- whole numbers where they are to be, and what every run has.
local function is_sound(h, numbers)
  for _, name in ipairs(numbers) do
    if h[name] and not is_whole(h[name]) then return false end
  end
  return not h.status or (is_status(h.status) and h.live ~= false and h.created ~= false and h.workflow ~= false)
end

-- open_run reads fields of a run: those that are whole numbers, and others. It
-- returns nil if the key is of a wrong type, or what it has cannot be worked with.
local function open_run(key, numbers, ...)
  local fields, others = {}, {...}
  for i = 1, #numbers do fields[i] = numbers[i] end
  for i = 1, #others do fields[#numbers + i] = others[i] end
  local R = read_run(key, fields)
  if R and is_sound(R.h, numbers) then return R end
end

-- value returns a field, and reads it if the script has not done so: what is
-- seldom needed is not asked for by all.
local function value(R, field)
  if R.h[field] == nil then R.h[field] = redis.call('HGET', R.key, field) end
  return R.h[field]
end

-- refuse answers if a key that many runs share is not of the type that flox keeps
-- there; command is one that only this type takes. A script asks before its first
-- write: none is rolled back.
local function refuse(command, ...)
  for _, key in ipairs({...}) do
    if type(redis.pcall(command, key)) == 'table' then
      return redis.error_reply('WRONGKEY ' .. key .. ' is not what flox keeps there')
    end
  end
end

local function add(R, counter, by)
  local n = (tonumber(value(R, counter) or 0) or 0) + by
  R.h[counter] = n
  R.changed[counter] = n
end

local function set(R, field, value)
  local puts = R.puts
  puts[#puts + 1] = field
  puts[#puts + 1] = value
end

local function unset(R, field) R.dels[#R.dels + 1] = field end

-- each_part calls a command with a long list, at most 4,000 values at a time.
local function each_part(command, key, list)
  for from = 1, #list, 4000 do
    redis.call(command, key, unpack(list, from, math.min(from + 3999, #list)))
  end
end

local function save(R)
  for counter, n in pairs(R.changed) do set(R, counter, num(n)) end
  each_part('HSET', R.key, R.puts)
  each_part('HDEL', R.key, R.dels)
end

-- streams maps queue names (ARGV from a) to their streams (KEYS from k).
local function streams(k, a)
  local q = {}
  for i = k, #KEYS do q[ARGV[a + i - k]] = KEYS[i] end
  return q
end

-- need asks the caller to come again with the stream of one more queue.
local function need(queue) return {-1, queue} end
