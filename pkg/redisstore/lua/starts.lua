#!lua
-- The plain case of start.lua for many runs at once: no delay, no deadline, no
-- labels. Without allow-oom, as that. A start that is not plain, as of a run that is
-- there, is answered -1 and nothing of it is written: start.lua decides.
-- KEYS[1] index of the runs that have not ended
-- KEYS[2] counts by workflow and status
-- KEYS[3...] of each run in turn: the run, the stream of the first token's queue
-- ARGV[1] channel of the status changes
-- ARGV[2...] of each run in turn: run id, nonce of the request, workflow, fingerprint,
-- node of the first token, its queue, 1 if the run needs an output else 0, 1 if items
-- of the run may be undone else 0, input, where it belongs to in a trace or nothing
-- Returns: {now in ms, then 0 or -1 for each run}
local call, try = redis.call, redis.pcall
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local stamp = string.format('%.0f', now)
local reply, members, counts, runs = {now}, {}, {}, {}
local sound = type(try('ZCARD', KEYS[1])) == 'number' and type(try('HLEN', KEYS[2])) == 'number'
local k = 3
for a = 2, #ARGV, 10 do
  local run, stream, verdict = KEYS[k], KEYS[k + 1], -1
  k = k + 2
  if sound and call('EXISTS', run) == 0 then
    local entry = try('XADD', stream, '*', 'r', ARGV[a], 't', '0')
    if type(entry) == 'string' then
      local workflow = ARGV[a + 2]
      local puts = {'status', 'running', 'live', '1', 'created', '1', 'born', ARGV[a + 1], 'workflow', workflow,
        'fingerprint', ARGV[a + 3], 'need', ARGV[a + 6], 'started', stamp,
        't:0', 'q|' .. entry .. '||0|' .. ARGV[a + 4] .. '|' .. ARGV[a + 5] .. '|.', 'i:0', ARGV[a + 8]}
      if ARGV[a + 7] == '1' then puts[#puts + 1], puts[#puts + 2] = 'undoes', '1' end
      if ARGV[a + 9] ~= '' then puts[#puts + 1], puts[#puts + 2] = 'trace', ARGV[a + 9] end
      call('HSET', run, unpack(puts))
      members[#members + 1], members[#members + 2] = stamp, ARGV[a] .. '|' .. workflow
      counts[workflow] = (counts[workflow] or 0) + 1
      runs[#runs + 1] = ARGV[a] .. ' running'
      verdict = 0
    end
  end
  reply[#reply + 1] = verdict
end
if #runs > 0 then
  call('ZADD', KEYS[1], unpack(members))
  for workflow, n in pairs(counts) do try('HINCRBY', KEYS[2], workflow .. ':running', n) end
  call('PUBLISH', ARGV[1], table.concat(runs, '\n'))
end
return reply
