"""Alternatives to the gateway that do the same work."""
