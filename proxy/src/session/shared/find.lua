-- KEYS: the handle; ARGV: now, prefix of sessions
local place = redis.call('GET', KEYS[1])
if not place then
  return {}
end
local till, sid = place:match('^(%d+):(.*)$')
if not till or tonumber(ARGV[1]) >= tonumber(till) then
  return {}
end
local row = redis.call('HMGET', ARGV[2] .. sid, 'end', 'revision', 'sealed')
if not row[1] or tonumber(ARGV[1]) >= tonumber(row[1]) then
  return {}
end
return { sid, row[2], row[3] }
