-- What a request to a run builds upon. It may come late: held up on its way, when its
-- caller has sent it again and was told no. Then it must do nothing any more. So who
-- asks for something asks first what it builds upon, by a call that can do nothing:
-- a no to that is final. Only if the run as it stands takes the request is it sent with
-- the answer, and done if that still holds.
-- This is enough, as a run takes back no such request that it has not taken meanwhile,
-- unless somebody else has asked for something, a retry from a node has gone on, or it
-- is another run under the same id: what it builds upon is another then, for ever.

-- upon returns it; more is what matters to this kind of request alone.
local function upon(h, more)
  local last = h.ctl and (string.match(h.ctl, '^.* (.*)$') or h.ctl) or ''
  return (h.born or '') .. ' ' .. last .. ' ' .. (h.purging or '') .. ' ' .. (more or '')
end
