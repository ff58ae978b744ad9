-- What other scripts begin with. A fingerprint's key holds 'until:id', and 'until:' where it is not one session's.
-- A session holds keys[first] and those after it until its end, some perhaps in place of the one that it follows.
local function hold(held, keys, first, session, margin, now)
  local function forget(key, till)
    redis.call('PEXPIREAT', key, string.format('%.0f', tonumber(till) + tonumber(margin)))
  end
  for i = first, #keys do
    local place = redis.call('GET', keys[i]) or ''
    local till, owner = place:match('^(%d+):(.*)$')
    local kept, owned = session.ends, session.id
    if till and tonumber(now) < tonumber(till) and owner ~= session.id and (owner == '' or owner ~= session.follows) then
      owned = ''
      if tonumber(till) > tonumber(kept) then
        kept = till
      end
    end
    redis.call('SET', keys[i], kept .. ':' .. owned)
    forget(keys[i], kept)
    redis.call('SADD', held, keys[i])
  end
  if #keys >= first then
    forget(held, session.ends)
  end
end
-- A session has ended before its time: nothing leads to it any more.
local function disown(held, sid)
  for _, key in ipairs(redis.call('SMEMBERS', held)) do
    local place = redis.call('GET', key) or ''
    if place:match('^%d+:(.*)$') == sid then
      redis.call('DEL', key)
    end
  end
  redis.call('DEL', held)
end
