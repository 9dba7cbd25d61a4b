#!lua flags=allow-oom
-- Makes the branches of one chunk of a large fan-out. Between chunks the token
-- queues up behind its children, so that other runs get their turn.
-- uses: base token late fence branches
-- KEYS[1] the run
-- KEYS[2...] streams: the lease's queue, then others
-- ARGV[1] run id
-- ARGV[2] token
-- ARGV[3] owner
-- ARGV[4] step
-- ARGV[5] flags: k keep after the last chunk
-- ARGV[6...] names of the queues of KEYS[2...]; then node, queue and input of
-- each branch
-- Returns: {verdict, 1 if it had been applied before, state version, committed, 1
-- if it left work for settle.lua}; {9} the run's key is of a wrong type;
-- {-1, queue} come again with its stream
local run, tok, stream = ARGV[1], ARGV[2], KEYS[2]
local q, rest = streams(2, 6), 6 + #KEYS - 1
local R = open_run(KEYS[1], {'sv', 'committed', 'created', 'live', 'parked', 'closed'}, 'status', 't:' .. tok)
if not R then return {9} end
local t, reply = fence(R, tok, ARGV[3], ARGV[4], stream)
if not t then return reply end
if t.rel == '0' then return {3} end
local missing = lacking(R, tok, q, rest)
if missing then return need(missing) end
reply = refuse('XLEN', unpack(KEYS, 2))
if reply then return reply end
local chunk = tonumber(t.rel)
make_branches(R, run, tok, t, t.origin, (chunk - 1) * 256 + 1, t.framed == '1', q, rest)
unset(R, 'b:' .. tok .. ':' .. t.rel)
step_on(t)
local last = chunk >= tonumber(t.chunks)
if last then
  t.rel, t.chunks, t.origin, t.framed, t.count = '0', '0', '0', '0', '0'
else
  t.rel = num(chunk + 1)
end
return go_on(R, run, tok, t, last and ARGV[5] == 'k', stream, q)
