"""Long runs and measurements; nothing of it is part of the gateway."""
