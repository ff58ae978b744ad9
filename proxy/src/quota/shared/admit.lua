-- Charges data subjects. ARGV: time, key, window, width, limit, counted, warn, mode, subjects: eight
-- bytes each, or none for a nameless one.
local limit, counted, mode = units(ARGV[5]), ARGV[6] == '1', ARGV[8]
local count = open(ARGV[1], ARGV[3])
local remaining = minus(limit, count.used)
local room = minus(plus(plus(limit, limit), plus(limit, limit)), {0, count.named})
local alive = count.now - count.window
local seen, named = {}, {}
local admitted, fresh, nameless = 0, 0, 0
for i = 9, #ARGV do
  local subject = ARGV[i]
  local known = seen[subject]
  if subject ~= '' and not known then
    local stop = redis.call('ZSCORE', KEYS[2], subject)
    known = stop and tonumber(stop) > alive
  end
  if not known and not counted and not less({0, fresh + nameless}, remaining) then break end
  admitted = admitted + 1
  if subject ~= '' and (known or less({0, fresh}, room)) then
    if not seen[subject] then table.insert(named, subject) end
    seen[subject] = true
    if not known then fresh = fresh + 1 end
  else
    nameless = nameless + 1
  end
end
local warned, exceeded = '0', '0'
local all = admitted == #ARGV - 8
local charged = mode == 'prefix' or (mode == 'all' and all)
if mode == 'all' and not all then admitted = 0 end
charge(count, tonumber(ARGV[4]), {0, charged and nameless or 0})
if mode == 'look' then
  if not all then
    warned, exceeded = news(count, ARGV[7], limit, counted, true)
    if warned == '1' or exceeded == '1' then close(count, ARGV[2]) end
  end
else
  turn(count)
  if charged then
    for _, subject in ipairs(named) do redis.call('ZADD', KEYS[2], count.stop, subject) end
    count.used = least(plus(count.used, {0, fresh}), MAX)
  end
  warned, exceeded = news(count, ARGV[7], limit, counted, not all)
  close(count, ARGV[2])
end
return {whole(admitted), whole(count.stop), whole(count.generation),
  whole(count.stop - count.now), written(count.used), frees_after(count), warned, exceeded,
  whole(charged and fresh + nameless or 0)}
