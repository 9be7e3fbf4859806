"""What operators see: log lines, metrics, and the record of each request."""
