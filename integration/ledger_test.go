package integration

import (
	"fmt"
	"testing"

	"github.com/redis/go-redis/v9"
)

// ledgerScript judges a whole namespace on one server at one moment, from raw
// keys, and returns what is wrong:
//
//	S9  each run's ledger; live tokens of a partition = in its streams + delayed +
//	    parked + waiting
//	S12 counts by workflow and status, and the indexes, fit the runs
//	    work that is left for janitors is marked
const ledgerScript = `
local faults, prefix, parts = {}, ARGV[1], tonumber(ARGV[2])
local function fault(...) faults[#faults + 1] = string.format(...) end
local function bump(t, k) t[k] = (t[k] or 0) + 1 end
local indexed = {running = 'active', paused = 'active', undoing = 'active'}
for part = 0, parts - 1 do
  local p = prefix .. part .. '}:'
  local counts, queued, timers, members = {}, {}, 0, 0
  for _, key in ipairs(redis.call('KEYS', p .. 'run:*')) do
    local raw, h, places, waiting = redis.call('HGETALL', key), {}, {}, 0
    for i = 1, #raw, 2 do h[raw[i]] = raw[i + 1] end
    local function n(field) return tonumber(h[field] or 0) end
    local run, tokens = string.sub(key, #p + 5), 0
    for field, record in pairs(h) do
      if string.sub(field, 1, 2) == 't:' then
        local f = {}
        for v in string.gmatch(record .. '|', '([^|]*)|') do f[#f + 1] = v end
        tokens = tokens + 1
        bump(places, f[1])
        if f[1] == 'q' then
          bump(queued, f[6])
          if #redis.call('XRANGE', p .. 'queue:' .. f[6], f[2], f[2]) == 0 then
            fault('S9: token %s of %s has no entry', field, run)
          end
        elseif f[1] == 'd' or (f[1] == 'w' and f[18] ~= '0') then
          timers = timers + 1
          if not redis.call('ZSCORE', p .. 'delayed', run .. '/' .. string.sub(field, 3)) then
            fault('S9: token %s of %s has no timer', field, run)
          end
        end
      end
    end
    if n('created') ~= n('committed') + n('failed') + n('dropped') + n('live') then
      fault('S9: ledger of %s: %d created, %d committed, %d failed, %d dropped, %d live', run,
        n('created'), n('committed'), n('failed'), n('dropped'), n('live'))
    end
    if tokens ~= n('live') or (places.p or 0) ~= n('parked') then
      fault('S9: %s (%s) has %d tokens, %d parked; it counts %d and %d', run, h.status, tokens, places.p or 0, n('live'), n('parked'))
    end
    bump(counts, h.workflow .. ':' .. h.status)
    local index = indexed[h.status] or h.status
    for _, name in ipairs({'active', 'completed', 'failed', 'cancelled'}) do
      local there = redis.call('ZSCORE', p .. 'runs:' .. name, run .. '|' .. h.workflow)
      if (there and true or false) ~= (name == index) then fault('S12: %s (%s) and index %s', run, h.status, name) end
    end
    members = members + 1
    local left = (h.status == 'running' and n('parked') > 0) or (h.status == 'cancelled' and tokens > 0)
    if left and not redis.call('ZSCORE', p .. 'runs:todo', run) then fault('%s (%s) has work left and no mark', run, h.status) end
  end
  for _, name in ipairs({'active', 'completed', 'failed', 'cancelled'}) do
    members = members - redis.call('ZCARD', p .. 'runs:' .. name)
  end
  if members ~= 0 then fault('S12: partition %d has %d runs more than the indexes', part, members) end
  local stats = redis.call('HGETALL', p .. 'stats')
  for i = 1, #stats, 2 do
    if tonumber(stats[i + 1]) ~= (counts[stats[i]] or 0) then
      fault('S12: stats of partition %d: %s is %s, want %d', part, stats[i], stats[i + 1], counts[stats[i]] or 0)
    end
    counts[stats[i]] = nil
  end
  for name, count in pairs(counts) do fault('S12: stats of partition %d lack %s: %d', part, name, count) end
  for _, key in ipairs(redis.call('KEYS', p .. 'queue:*')) do
    local want, got = queued[string.sub(key, #p + 7)] or 0, redis.call('XLEN', key)
    if got ~= want then fault('S9: %s has %d entries, %d tokens are in it', key, got, want) end
  end
  for _, member in ipairs(redis.call('ZRANGE', p .. 'delayed', 0, -1)) do
    if string.sub(member, -1) ~= '/' then timers = timers - 1 end
  end
  if timers ~= 0 then fault('S9: partition %d has %d tokens with a timer more than timers', part, timers) end
end
return faults`

// ledger returns what is wrong with a namespace at this moment.
func ledger(t *testing.T, rdb *redis.Client, namespace string, parts int) []string {
	t.Helper()
	faults, err := rdb.Eval(t.Context(), ledgerScript, nil, fmt.Sprintf("flox:{%s:", namespace), parts).StringSlice()
	if err != nil {
		t.Fatalf("ledger: %v", err)
	}
	return faults
}
