-- Says how much of a count is in use. ARGV: time.
local count = open(ARGV[1], nil)
return {written(count.used), whole(count.window), frees_after(count)}
