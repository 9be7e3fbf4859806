"""The scripts that Redis runs: each is atomic among all replicas."""

# The algorithm of MemoryState.reserve, in microseconds of Redis's own clock. A number of
# microseconds has 16 digits, more than Lua writes by itself.
#
# A Redis that was emptied or failed over may not know the last slots of the replicas: each may
# hold one. So the next slot comes after all of them if another server has reserved the one before,
# or if this process has a later one. Clocks differ, and Redis's may be put back: no slot that a
# replica holds is far away, so the next one comes soon in any case. After slots that this process
# had without Redis, it comes in `soonest` at the earliest.
RESERVE = """
local distance, late, last = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local replicas, soonest = tonumber(ARGV[4]), tonumber(ARGV[5])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local server = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') or 'unknown'
local kept, by = string.match(redis.call('GET', KEYS[1]) or '', '^(%d+) (%w+)$')
local due = tonumber(kept or 0)
if due > now + math.max(15000000, 2 * (replicas + 1) * distance) then due = 0 end
local another = by and by ~= server
if late > 0 and due == late + distance and not another then
  due = late
elseif another or (last > 0 and due <= last) then
  due = math.min(math.max(due, last) + replicas * distance, now + (replicas + 1) * distance)
end
due = math.max(now + soonest, due)
redis.call('SET', KEYS[1], string.format('%.0f %s', due + distance, server),
           'PX', math.ceil((due + distance - now) / 1000) + 60000)
return {string.format('%.0f', due - now), string.format('%.0f', due)}
"""

# A value, the sentinel, the time in seconds and the server, all of one server.
READ_WITH_SENTINEL = """
local server = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') or 'unknown'
local time = redis.call('TIME')
local now = time[1] .. '.' .. string.format('%06d', time[2])
return {redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2]), now, server}
"""

REMOVE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""

PROLONG = """
return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
