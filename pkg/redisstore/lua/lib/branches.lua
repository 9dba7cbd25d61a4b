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
  for i = first, #ARGV, 3 do
    local child = short(tok .. '.' .. origin .. '.' .. num(number))
    local branch = new_token(ARGV[i], ARGV[i + 1], t.frame, framed and number or t.idx, t.scope)
    make(R, run, child, branch, q, delayed, due)
    set(R, 'i:' .. child, ARGV[i + 2])
    number = number + 1
  end
end
