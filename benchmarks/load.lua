-- The load: submissions of ever new customers by four callers in turn, over one or two servers.
-- wrk -s load.lua URL -- PORT[,PORT] CONNECTIONS SPREAD KEY[,KEY...]
-- SPREAD: milliseconds over which the connections' first requests are spread.
local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

local function split(text)
  local parts = {}
  for part in text:gmatch("[^,]+") do parts[#parts + 1] = part end
  return parts
end

function init(args)
  local ports = split(args[1])
  -- Threads take turns among the servers.
  wrk.thread.addr = wrk.lookup("127.0.0.1", ports[number % #ports + 1])[1]
  first = math.floor(args[2] / #ports)
  spread = tonumber(args[3])
  if spread == 0 then delay = nil end
  local body = '{"full_name": "ZHANG SAN", "document": {"type": "PASSPORT", "number": "E1234567"},'
    .. ' "partner_user_id": "shop-981"}'
  rest = {}
  for _, key in ipairs(split(args[4])) do
    rest[#rest + 1] = "/verifications/individual HTTP/1.1\r\nHost: 127.0.0.1\r\n"
      .. "Authorization: Bearer " .. key .. "\r\nContent-Type: application/json\r\n"
      .. "Content-Length: " .. #body .. "\r\n\r\n" .. body
  end
  head = string.format("POST /v1/customers/%x-%d-", os.time(), number)
  count = 0
end

function delay()
  first = first - 1
  return first >= 0 and math.random(0, spread) or 0
end

function request()
  count = count + 1
  return head .. count .. rest[count % #rest + 1]
end

function done(summary, latency, _)
  local e = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %f, "failed": %d, "p50": %f, "p99": %f}\n',
    summary.requests, summary.duration / 1e6,
    e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50) / 1e6, latency:percentile(99) / 1e6))
end
