"""Long runs and measurements. The gateway does not import them."""
