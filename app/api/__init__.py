"""What callers see: all that knows Flask."""
