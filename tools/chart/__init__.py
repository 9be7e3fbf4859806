"""Generators of the chart's schema and of the table in its README."""
