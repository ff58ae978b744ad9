-- Begins another life of a count, and says whether anything of it was in use. ARGV: time.
if redis.call('EXISTS', KEYS[1]) == 0 then return {'0'} end
local count = open(ARGV[1], nil)
local was = less({0, 0}, count.used) and '1' or '0'
count.generation = math.max(count.now, count.generation + 1)
redis.call('DEL', KEYS[1], KEYS[2])
close(count, count.facts.key)
return {was}
