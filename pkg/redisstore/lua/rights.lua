#!lua flags=allow-oom
-- Tells which command the user may not run: a script that is stopped in its middle
-- leaves half a change.
-- KEYS[1] counts by workflow and status
-- ARGV[1] a channel of it
-- ARGV[2] the commands, with blanks between
-- Returns: the first that is not allowed, or nothing
if not redis.acl_check_cmd then return '' end -- a server that is only like Redis
local shapes = {
  TIME = {}, WAIT = {'1', '1'}, PUBLISH = {ARGV[1], ''},
  XGROUP = {'CREATE', KEYS[1], 'flox', '0'}, XINFO = {'STREAM', KEYS[1]},
  XREADGROUP = {'GROUP', 'flox', 'flox', 'STREAMS', KEYS[1], '>'},
}
for command in string.gmatch(ARGV[2], '%u+') do
  if not redis.acl_check_cmd(command, unpack(shapes[command] or {KEYS[1]})) then return command end
end
return ''
