"""Generates the tables and programs in docs/."""
