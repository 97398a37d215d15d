"""Hold what AWS said about resources, unchanged."""
