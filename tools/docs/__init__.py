"""Generators of the tables and programs in docs/."""
