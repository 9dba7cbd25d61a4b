#!lua flags=allow-oom
-- Compares a run's counters with its tokens. If asked to, it puts them right; a
-- run that has not ended and has nothing left to do is failed, or, if it undoes,
-- marked to go on with that.
-- uses: base status
-- KEYS[1] the run
-- KEYS[2] index of the runs that have not ended
-- KEYS[3] index of the failed runs
-- KEYS[4] counts by workflow and status
-- KEYS[5] timers
-- KEYS[6] runs with work left
-- ARGV[1] run id
-- ARGV[2] channel of the status changes
-- ARGV[3] cause
-- ARGV[4] most fields of a run that is counted in one go
-- ARGV[5] 1 to put it right, else 0
-- Returns: {0} nothing is wrong, or there is no such run, or it cannot be read;
-- {1, tokens, parked tokens} the counters differ from that; {2} nothing is left of
-- a run that has not ended; {3, fields} too many to be counted
local R = read_run(KEYS[1], {'status', 'workflow', 'live', 'parked', 'created', 'committed', 'failed', 'dropped',
  'closed', 'deadline'})
local h = R and R.h
if not h or not h.status or not h.workflow then return {0} end
local size = redis.call('HLEN', KEYS[1])
if size > tonumber(ARGV[4]) then return {3, size} end
local names, tokens, parked, cursor = {}, 0, 0, '0'
repeat
  local page = redis.call('HSCAN', KEYS[1], cursor, 'MATCH', 't:*', 'COUNT', 1000)
  cursor = page[1]
  for i = 1, #page[2], 2 do
    if not names[page[2][i]] then
      names[page[2][i]] = true
      tokens = tokens + 1
      if string.sub(page[2][i + 1], 1, 2) == 'p|' then parked = parked + 1 end
    end
  end
until cursor == '0'
local open = h.status == 'running' or h.status == 'paused' or h.status == 'undoing'
local lost = open and tokens == 0
local function whole(field) return tonumber(h[field] or 0) or 0 end
local created = whole('committed') + whole('failed') + whole('dropped') + tokens
if not lost and whole('live') == tokens and whole('parked') == parked and whole('created') == created then
  return {0}
end
if ARGV[5] == '1' then
  R.changed.live, R.changed.parked, R.changed.created = tokens, parked, created
  if tokens == 0 and h.closed then R.changed.closed = 0 end
  local now = clock()
  if lost and h.status == 'undoing' then
    redis.call('ZADD', KEYS[6], num(now), ARGV[1])
  elseif lost then
    end_run(R, ARGV[1], 'failed', ARGV[3], now,
      {active = KEYS[2], failed = KEYS[3], stats = KEYS[4], delayed = KEYS[5], events = ARGV[2]})
  end
  save(R)
end
if lost then return {2} end
return {1, tokens, parked}
