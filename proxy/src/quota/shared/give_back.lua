-- Returns units. ARGV: end of the bucket, generation, units.
if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[2] then return {} end
local bucket = redis.call('HGET', KEYS[1], ARGV[1])
if bucket then
  redis.call('HSET', KEYS[1], ARGV[1], written(minus(units(bucket), units(ARGV[3]))))
end
return {}
