-- The rules of one count, as `book.rs` has them; put before each of the scripts that need them.
--
--   KEYS[1]  hash    the count: a field per bucket (its end), and facts with names
--   KEYS[2]  sorted  its data subjects, by the end of the bucket that they were last seen in
--
-- Numbers of a script are doubles, exact up to 2^53 only, and limits go up to 2^63-1. So units are
-- kept in two halves, high and low, of which each is exact.

local HALF = 1e12

local function units(text)
  local length = #text
  if length <= 12 then return {0, tonumber(text)} end
  return {tonumber(string.sub(text, 1, length - 12)), tonumber(string.sub(text, length - 11))}
end

local function written(a)
  if a[1] == 0 then return string.format('%.0f', a[2]) end
  return string.format('%.0f%012.0f', a[1], a[2])
end

local function less(a, b) return a[1] < b[1] or (a[1] == b[1] and a[2] < b[2]) end

local function least(a, b) if less(b, a) then return b end return a end

local function plus(a, b)
  local high, low = a[1] + b[1], a[2] + b[2]
  if low >= HALF then return {high + 1, low - HALF} end
  return {high, low}
end

local function minus(a, b)
  if less(a, b) then return {0, 0} end
  local high, low = a[1] - b[1], a[2] - b[2]
  if low < 0 then return {high - 1, low + HALF} end
  return {high, low}
end

-- One part of `n`, rounded down; `n` is below 9000, so that the rest stays exact.
local function part(a, n)
  local high = math.floor(a[1] / n)
  return {high, math.floor(((a[1] - high * n) * HALF + a[2]) / n)}
end

local MAX = units('9223372036854775807')

local function whole(number) return string.format('%.0f', number) end

-- The count, without what counts no more. `told` is the time in tests, and empty otherwise: then the
-- server's clock is asked. Time never goes back behind what is written.
local function open(told, window)
  local count = {buckets = {}, facts = {}, used = {0, 0}, over = {}}
  local fields = redis.call('HGETALL', KEYS[1])
  for i = 1, #fields, 2 do
    local stop = tonumber(fields[i])
    if stop then
      table.insert(count.buckets, {stop, units(fields[i + 1])})
    else
      count.facts[fields[i]] = fields[i + 1]
    end
  end
  local now = tonumber(told)
  if not now then
    local time = redis.call('TIME')
    now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  end
  count.now = math.max(now, tonumber(count.facts.time or '0'))
  count.window = tonumber(window or count.facts.window or '0')
  count.generation = tonumber(count.facts.generation or count.now)
  count.last = tonumber(count.facts.last or '0')
  table.sort(count.buckets, function(a, b) return a[1] < b[1] end)
  while count.buckets[1] and count.buckets[1][1] + count.window <= count.now do
    table.insert(count.over, whole(table.remove(count.buckets, 1)[1]))
  end
  for _, bucket in ipairs(count.buckets) do count.used = plus(count.used, bucket[2]) end
  count.named = redis.call('ZCOUNT', KEYS[2], '(' .. whole(count.now - count.window), '+inf')
  count.used = least(plus(count.used, {0, count.named}), MAX)
  return count
end

-- Drops what counts no more from the store.
local function turn(count)
  for _, stop in ipairs(count.over) do redis.call('HDEL', KEYS[1], stop) end
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', whole(count.now - count.window))
end

-- Adds units to the bucket that is open.
local function charge(count, width, added)
  local stop = (math.floor(count.now / width) + 1) * width
  count.stop = stop
  count.last = math.max(count.last, stop)
  if added[1] == 0 and added[2] == 0 then return end
  local bucket
  for _, each in ipairs(count.buckets) do if each[1] == stop then bucket = each end end
  if not bucket then
    bucket = {stop, {0, 0}}
    table.insert(count.buckets, bucket)
    table.sort(count.buckets, function(a, b) return a[1] < b[1] end)
  end
  bucket[2] = least(plus(bucket[2], added), MAX)
  count.used = least(plus(count.used, added), MAX)
  redis.call('HSET', KEYS[1], whole(stop), written(bucket[2]))
end

-- What should be told now, and of what was refused: at most once per window.
local function news(count, warn_from, limit, counted, refused)
  local warned, exceeded = '0', '0'
  local used = count.used
  local free = whole(count.now + count.window)
  local function quiet(name) return count.now < tonumber(count.facts[name] or '0') end
  if warn_from ~= '' and less({0, 0}, used) and not less(used, units(warn_from))
      and not quiet('warned') then
    warned = '1'
    redis.call('HSET', KEYS[1], 'warned', free)
  end
  if (refused or counted and less(limit, used)) and not quiet('exceeded') then
    exceeded = '1'
    redis.call('HSET', KEYS[1], 'exceeded', free)
  end
  return warned, exceeded
end

-- Writes the facts down, and until when they matter.
local function close(count, name)
  redis.call('HSET', KEYS[1], 'key', name, 'time', whole(count.now), 'window',
    whole(count.window), 'generation', whole(count.generation), 'last', whole(count.last))
  local over = whole(count.last + count.window)
  redis.call('PEXPIREAT', KEYS[1], over)
  redis.call('PEXPIREAT', KEYS[2], over)
end

-- How long it is until the first bucket or data subject leaves the window.
local function frees_after(count)
  local first = count.buckets[1] and count.buckets[1][1]
  local after = '(' .. whole(count.now - count.window)
  local subject = redis.call('ZRANGEBYSCORE', KEYS[2], after, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  if subject[2] then first = math.min(first or tonumber(subject[2]), tonumber(subject[2])) end
  if not first then return '0' end
  return whole(math.max(0, first + count.window - count.now))
end

-- How long it is until `need` units fit.
local function fits_after(count, limit, need)
  local used, free = count.used, count.now
  for _, bucket in ipairs(count.buckets) do
    if not less(limit, plus(used, need)) then break end
    used = minus(used, bucket[2])
    free = bucket[1] + count.window
  end
  return whole(free - count.now)
end
