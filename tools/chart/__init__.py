"""Writes the chart's schema and the table in its README."""
