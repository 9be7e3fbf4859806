"""Writes the tables and programs in docs/."""
