"""The scripts that Redis runs: each is atomic among all replicas."""

# The algorithm of MemoryState.reserve, in microseconds of Redis's own clock. A number of
# microseconds has 16 digits, more than Lua writes by itself.
RESERVE = """
local distance, late = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local due = tonumber(redis.call('GET', KEYS[1]) or now)
if late > 0 and due == late + distance then due = late end
due = math.max(now, due)
redis.call('SET', KEYS[1], string.format('%.0f', due + distance),
           'PX', math.ceil((due + distance - now) / 1000) + 60000)
return {string.format('%.0f', due - now), string.format('%.0f', due)}
"""

REMOVE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""

PROLONG = """
return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
