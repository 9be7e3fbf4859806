"""Shows and serves the gateway on this machine, on the sandbox."""
