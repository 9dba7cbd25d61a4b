-- The branches that a fan-out makes.

-- lacking names a queue of the branches in ARGV (node, queue, input; from first
-- on) whose stream was not given, if any.
local function lacking(R, tok, q, first)
  for i = first + 1, #ARGV, 3 do
    if lacks(R, tok, q, ARGV[i]) then return ARGV[i] end
  end
end

-- make_branches makes them, numbered from number on, beside the token t; delayed
-- if they are due later.
local function make_branches(R, run, tok, t, origin, number, framed, q, first, delayed, due)
  local stem, made, at_once = tok .. '.' .. origin .. '.', 0, not due and grants(R, tok)
  for i = first, #ARGV, 3 do
    local child = short(stem .. num(number))
    local idx = framed and num(number) or t.idx
    if at_once and t.scope == '' then -- the same as make, without a table for each
      local eid = redis.call('XADD', q[ARGV[i + 1]], '*', 'r', run, 't', child)
      set(R, 't:' .. child, 'q|' .. eid .. '||0|' .. ARGV[i] .. '|' .. ARGV[i + 1] .. '|0|0||' .. t.frame .. '|' .. idx
        .. '||0|0|0|0|0|0|0')
      made = made + 1
    else
      make(R, run, child, new_token(ARGV[i], ARGV[i + 1], t.frame, idx, t.scope), q, delayed, due)
    end
    set(R, 'i:' .. child, ARGV[i + 2])
    number = number + 1
  end
  add(R, 'live', made)
  add(R, 'created', made)
end
