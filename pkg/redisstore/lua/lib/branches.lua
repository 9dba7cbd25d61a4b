-- The branches that a fan-out makes.

-- lacking names a queue of the branches in ARGV (node, queue, input; from first
-- on) whose stream was not given, if any.
local function lacking(R, q, first)
  for i = first + 1, #ARGV, 3 do
    if lacks(R, q, ARGV[i]) then return ARGV[i] end
  end
end

-- make_branches makes them, numbered from number on, beside the token t.
local function make_branches(R, run, tok, t, origin, number, framed, q, first)
  for i = first, #ARGV, 3 do
    local child = short(tok .. '.' .. origin .. '.' .. num(number))
    make(R, run, child, new_token(ARGV[i], ARGV[i + 1], t.frame, framed and number or t.idx, '', '0'), q)
    set(R, 'i:' .. child, ARGV[i + 2])
    number = number + 1
  end
end
