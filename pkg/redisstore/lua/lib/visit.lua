-- Visits: r:<node> says how a run stood before a token that was alone in it left
-- the node, so that a retry can go on from there; kept lists those nodes.

local function pack_visit(...) return table.concat({...}, '|') end

-- visit_of returns what put_visit keeps, nil if the token is not alone. A join's
-- input is gone with its frame, an answered wait goes on from its first half, and a
-- lost input is worth nothing.
local function visit_of(R, tok, t)
  local h = R.h
  if t.frame ~= '' or tonumber(h.live) ~= 1 or t.from ~= '' or h.status == 'undoing' then return nil end
  if undoes(tok) or string.find(t.flags, '[ST]') or not h['i:' .. tok] then return nil end
  local outs, ends, holds = '0', '0', ''
  -- A token that has made every item of the run has always been alone: none ended.
  if tonumber(h.created) ~= tonumber(t.step) + 1 then
    local ended = redis.call('HMGET', R.key, 'outs', 'ends', 'holds')
    outs, ends, holds = ended[1] or '0', ended[2] or '0', ended[3] or ''
  end
  return pack_visit(h.created, t.queue, h.sv or '0', outs, ends, holds, h['i:' .. tok])
end

local VISIT = '^(%d+)|([^|]*)|(%d+)|(%d+)|(%d+)|([^|]*)|(.*)$'

-- read_visit reads one, nil if it does not fit. order is how many items the run had
-- made: it tells which of two visits came first.
local function read_visit(raw)
  local order, queue, sv, outs, ends, holds, input = string.match(raw or '', VISIT)
  if not order then return nil end
  return {
    order = tonumber(order), queue = queue, sv = tonumber(sv), outs = outs, ends = ends, holds = holds,
    input = input,
  }
end

-- put_visit keeps a visit, if there is one and the run may still be retried.
local function put_visit(R, node, visit)
  local h = R.h
  if not visit or h.status == 'completed' or h.status == 'undoing' then return end
  set(R, 'r:' .. node, visit)
  if not h.kept then
    set(R, 'kept', node)
  elseif not string.find(',' .. h.kept .. ',', ',' .. node .. ',', 1, true) then
    set(R, 'kept', h.kept .. ',' .. node)
  end
end
