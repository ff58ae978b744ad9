-- KEYS: the session, its handle, its person's, all, the ended, what it holds, fingerprints
-- ARGV: id, sealed, end, when it may be forgotten, now, how many at most or '', 'deny' or 'evict', prefix of sessions,
--   prefix of what sessions hold, how long after its end one may be forgotten, the one that it follows or ''
local sid, sealed, ends, forget, now = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', now)
redis.call('ZREMRANGEBYSCORE', KEYS[5], '-inf', tonumber(now) - 86400000)
local answer = { 'made' }
if ARGV[6] ~= '' then
  local theirs = {}
  for _, other in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
    if other ~= ARGV[11] then
      theirs[#theirs + 1] = other
    end
  end
  local over = #theirs - tonumber(ARGV[6]) + 1
  if over > 0 and (ARGV[7] == 'deny' or over > #theirs) then
    return { 'full' }
  end
  for i = 1, over do
    redis.call('DEL', ARGV[8] .. theirs[i])
    redis.call('ZREM', KEYS[3], theirs[i])
    redis.call('ZREM', KEYS[4], theirs[i])
    redis.call('ZADD', KEYS[5], now, theirs[i])
    disown(ARGV[9] .. theirs[i], theirs[i])
    answer[#answer + 1] = theirs[i]
  end
end
redis.call('HSET', KEYS[1], 'revision', '1', 'sealed', sealed, 'end', ends)
redis.call('PEXPIREAT', KEYS[1], forget)
redis.call('SET', KEYS[2], ends .. ':' .. sid)
redis.call('PEXPIREAT', KEYS[2], forget)
redis.call('ZADD', KEYS[3], ends, sid)
local last = redis.call('ZREVRANGE', KEYS[3], 0, 0, 'WITHSCORES')[2]
redis.call('PEXPIREAT', KEYS[3], string.format('%.0f', tonumber(last) + tonumber(ARGV[10])))
redis.call('ZADD', KEYS[4], ends, sid)
hold(KEYS[6], KEYS, 7, { id = sid, ends = ends, follows = ARGV[11] }, ARGV[10], now)
return answer
