"""Demonstrates and serves the gateway on this machine, with the sandbox as upstream."""
