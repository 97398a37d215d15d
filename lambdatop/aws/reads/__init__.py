"""Make single reads that several collectors share."""
