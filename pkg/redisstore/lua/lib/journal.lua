-- The state log, the history and the errors of a run, and what would undo it.

-- limited answers a commit of a run that has committed its most items.
local function limited(R, most)
  if tonumber(most) > 0 and tonumber(R.h.committed or 0) >= tonumber(most) then return {7} end
end

local function failed(reply) return type(reply) == 'table' and reply.err end

-- count counts a commit. All that the history knows are counted so, each once, and
-- nothing takes one back: the counts number the records, and no number comes twice.
local function count(R, fallback) add(R, fallback and 'failed' or 'committed', 1) end

-- slot is the field for the record of the commit that was just counted, false if it
-- goes to the list. The first 16 are fields of the run: most runs have no more, and
-- a list of its own takes more than all of them.
local function slot(R)
  local n = (tonumber(value(R, 'committed') or 0) or 0) + (tonumber(value(R, 'failed') or 0) or 0)
  return n >= 1 and n <= 16 and 'h:' .. num(n)
end

-- journal keeps what is not nil of a commit that has been counted. If one of the
-- keys is of a wrong type it returns false and has changed nothing: no script is
-- rolled back by Redis.
local function journal(R, state, history, errors, delta, record, err, now)
  local kept = 0
  if delta and failed(redis.pcall('RPUSH', state, delta)) then return false end
  if record then
    local field = slot(R)
    record = num(now) .. '|' .. record
    if field then
      set(R, field, record)
    else
      kept = redis.pcall('RPUSH', history, record)
    end
    if failed(kept) then
      if delta then redis.call('RPOP', state) end
      return false
    end
  end
  if err then
    local place = num((tonumber(value(R, 'errs') or 0) or 0) % 100)
    if failed(redis.pcall('HSET', errors, place, num(now) .. '|' .. err)) then
      if kept > 0 then redis.call('RPOP', history) end
      if delta then redis.call('RPOP', state) end
      return false
    end
    add(R, 'errs', 1)
  end
  if kept > 10000 then redis.call('LTRIM', history, 1, -1) end
  if delta then add(R, 'sv', 1) end
  return true
end

-- keep_undo remembers what would undo an item: "<node>|<queue>|<input>".
local function keep_undo(R, undo)
  add(R, 'undos', 1)
  local field = 'u:' .. num(R.h.undos)
  R.h[field] = undo
  set(R, field, undo)
end
