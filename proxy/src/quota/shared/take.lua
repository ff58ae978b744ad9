-- Charges units. ARGV: time, key, window, width, limit, need, wish, partial, counted, shares, warn.
local limit, need, wish = units(ARGV[5]), units(ARGV[6]), units(ARGV[7])
local counted = ARGV[9] == '1'
local count = open(ARGV[1], ARGV[3])
turn(count)
local remaining = minus(limit, count.used)
local granted = {0, 0}
if counted then
  granted = wish
elseif not less(remaining, need) then
  local share = part(minus(remaining, need), tonumber(ARGV[10]))
  granted = plus(need, least(minus(wish, need), share))
elseif ARGV[8] == '1' then
  granted = remaining
end
local refused = less(granted, need)
local fits = fits_after(count, limit, need)
charge(count, tonumber(ARGV[4]), granted)
local warned, exceeded = news(count, ARGV[11], limit, counted, refused)
close(count, ARGV[2])
local frees = refused and fits or frees_after(count)
return {written(granted), whole(count.stop), whole(count.generation),
  whole(count.stop - count.now), written(count.used), frees, warned, exceeded}
