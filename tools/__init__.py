"""Programs that write parts of the project, and compare its contracts."""
