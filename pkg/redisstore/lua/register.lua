#!lua flags=allow-oom
-- Records a workflow, replacing an earlier one of its name.
-- uses: base
-- KEYS[1] workflows
-- ARGV[1] name
-- ARGV[2] record
-- Returns: 0
redis.call('HSET', KEYS[1], ARGV[1], num(clock()) .. '|' .. ARGV[2])
return 0
