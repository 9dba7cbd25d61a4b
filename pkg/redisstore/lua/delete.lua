#!lua flags=allow-oom
-- Removes a run that has ended and all that is kept of it. One with tokens left is
-- marked instead: settle.lua drops them first, then this is called again.
-- uses: base upon
-- KEYS[1] the run
-- KEYS[2] its state log
-- KEYS[3] its history
-- KEYS[4] its errors
-- KEYS[5] index of the completed runs
-- KEYS[6] index of the failed runs
-- KEYS[7] index of the cancelled runs
-- KEYS[8] counts by workflow and status
-- KEYS[9] runs with work left
-- KEYS[10] timers
-- ARGV[1] run id
-- ARGV[2] nonce of the run's start, or nothing: a run started later is another one
-- ARGV[3] ms that the run is kept after its end, or -1
-- ARGV[4] status under whose index it was found, or nothing
-- ARGV[5] its workflow there
-- ARGV[6] 1 if its tokens were looked for and none was found, else 0
-- ARGV[7] 1 to remove only what is marked to be deleted, else 0
-- ARGV[8] channel of the status changes
-- ARGV[9] what it builds upon, as {5} has told, nothing to be told, see lib/upon, or -
-- of who was not asked to do it
-- Returns: {0} removed; {1, status, granted} refused; {2} no such run; {3, nonce of
-- its start} tokens are left; {4} it is to be kept longer; {5, nonce of its
-- start, upon} allowed, but nothing was done: come again with what it builds upon now;
-- {9} the run's key is of a wrong type
local run = ARGV[1]
local index = {completed = KEYS[5], failed = KEYS[6], cancelled = KEYS[7]}
local R = read_run(KEYS[1], {'status', 'granted', 'born', 'ctl', 'workflow', 'ended', 'live', 'purging'})
if not R then return {9} end
local h = R.h
local status, workflow = h.status, h.workflow or ''
if ARGV[4] ~= '' and (status ~= ARGV[4] or workflow ~= ARGV[5]) then
  -- The index is wrong: a part of the server's data was lost.
  redis.call('ZREM', index[ARGV[4]], run .. '|' .. ARGV[5])
end
if not status or (ARGV[2] ~= '' and h.born ~= ARGV[2]) then return {2} end
local keep = tonumber(ARGV[3])
-- One that is about to be done again does not expire.
if not index[status] or (keep >= 0 and h.purging == 'restart')
  or (ARGV[7] == '1' and h.purging ~= 'delete') then
  return {1, status, h.granted or ''}
end
if keep >= 0 and (tonumber(h.ended) or 0) + keep > clock() then return {4} end
if ARGV[9] ~= '-' and ARGV[9] ~= upon(h) then return {5, h.born or '', upon(h)} end

-- occupied says whether tokens are left. The count may be wrong: it was damaged.
local function occupied()
  if (tonumber(h.live) or 0) <= 0 then return false end
  if ARGV[6] ~= '1' then return true end
  for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    if string.sub(field, 1, 2) == 't:' then return true end
  end
  return false
end

-- uncount takes the run out of the counts. If that leaves none, all of its
-- workflow's that stand at zero go: those of old must not stay there for ever.
local function uncount()
  if redis.call('HINCRBY', KEYS[8], workflow .. ':' .. status, -1) > 0 then return end
  local names = {}
  for i, s in ipairs({'running', 'paused', 'undoing', 'completed', 'failed', 'cancelled'}) do
    names[i] = workflow .. ':' .. s
  end
  for i, count in ipairs(redis.call('HMGET', KEYS[8], unpack(names))) do
    if count and tonumber(count) <= 0 then redis.call('HDEL', KEYS[8], names[i]) end
  end
end

local reply = refuse('ZCARD', index[status], KEYS[9], KEYS[10]) or refuse('HLEN', KEYS[8])
if reply then return reply end
if occupied() then
  redis.call('HSET', KEYS[1], 'purging', 'delete')
  redis.call('ZADD', KEYS[9], num(clock()), run)
  return {3, h.born or ''}
end
uncount()
redis.call('ZREM', index[status], run .. '|' .. workflow)
redis.call('ZREM', KEYS[9], run)
redis.call('ZREM', KEYS[10], run .. '/')
redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3], KEYS[4])
-- Who has one of its tokens learns that the lease is gone.
if h.purging then
  redis.call('PUBLISH', ARGV[8], run .. ' ' .. status)
  alert(KEYS[1], run .. ' ' .. status)
end
return {0}
