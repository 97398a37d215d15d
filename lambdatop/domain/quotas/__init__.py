"""Compare use with AWS's limits."""
