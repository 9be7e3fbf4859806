"""Generators of files of the project, and the comparison of its contracts."""
