-- KEYS: the session, its person's, the ended, a new handle, an old handle (the session's own key where there is none),
--   what it holds, fingerprints
-- ARGV: id, revision, sealed, now, until when the old handle leads, 1 if it has ended, how long after its end it may be forgotten
local row = redis.call('HMGET', KEYS[1], 'end', 'revision')
if not row[1] or tonumber(ARGV[4]) >= tonumber(row[1]) or row[2] ~= ARGV[2] then
  return 0
end
local ends = row[1]
local function lead(handle, till)
  redis.call('SET', handle, till .. ':' .. ARGV[1])
  redis.call('PEXPIREAT', handle, string.format('%.0f', tonumber(ends) + tonumber(ARGV[7])))
end
redis.call('HINCRBY', KEYS[1], 'revision', 1)
redis.call('HSET', KEYS[1], 'sealed', ARGV[3])
if KEYS[4] ~= KEYS[1] then
  lead(KEYS[4], ends)
end
if KEYS[5] ~= KEYS[1] then
  local till = ARGV[5]
  if tonumber(till) > tonumber(ends) then
    till = ends
  end
  lead(KEYS[5], till)
end
hold(KEYS[6], KEYS, 7, { id = ARGV[1], ends = ends, follows = '' }, ARGV[7], ARGV[4])
if ARGV[6] == '1' then
  redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('ZADD', KEYS[3], ARGV[4], ARGV[1])
  disown(KEYS[6], ARGV[1])
end
return 1
