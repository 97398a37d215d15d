"""Hold what a user may set, with defaults and checks."""
