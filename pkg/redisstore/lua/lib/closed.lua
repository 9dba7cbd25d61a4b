-- What goes with the branches that came too late.

-- lower_late counts branches of a frame as gone. A frame without branches goes
-- too: the closed one has fired, those within it never will. frames are those
-- that this script has read already, by id.
local function lower_late(R, frames, id, branches)
  for _ = 1, 10000 do -- one that stands in itself was damaged
    local f = frames[id] or read_frame(R, id)
    if not f then return end
    frames[id] = f
    f.live = tonumber(f.live) - branches
    if f.live > 0 then return put_frame(R, f) end
    unset(R, 'f:' .. id)
    if f.need == 'x' then return add(R, 'closed', -1) end
    id, branches = f.parent, 1
  end
end
