"""Show and search log lines."""
