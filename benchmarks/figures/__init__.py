"""The figures of docs/performance.md, each a module whose `measure` yields rows of the table."""
