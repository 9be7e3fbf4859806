"""`make drill`: two gateways under load while processes, keys, Redis and connections change."""
