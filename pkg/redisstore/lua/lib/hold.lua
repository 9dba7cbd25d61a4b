-- Items that were absorbed: holds says at which nodes how many, as node=count.

local function hold(R, node)
  add(R, 'held', 1)
  local counts, seen = {}, false
  for name, n in string.gmatch(value(R, 'holds') or '', '([^,=]+)=(%d+)') do
    if name == node then n, seen = num(n + 1), true end
    counts[#counts + 1] = name .. '=' .. n
  end
  if not seen then counts[#counts + 1] = node .. '=1' end
  R.h.holds = table.concat(counts, ',')
  set(R, 'holds', R.h.holds)
end
