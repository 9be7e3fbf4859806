"""When a call is made, made again, and given up."""
