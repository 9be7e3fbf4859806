"""`make mutation`: changes one place of the code at a time, and tells what no test finds."""
