"""Send what changes AWS, after the executor has journaled it."""
