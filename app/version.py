"""The version of the gateway and of its contract."""

VERSION = "0.2.0"
