"""Drives the pages in a browser, for screenshots and tests."""
