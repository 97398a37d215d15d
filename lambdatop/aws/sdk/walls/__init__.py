"""Keep read-only mode from sending anything that changes AWS."""
