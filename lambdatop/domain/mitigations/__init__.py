"""Plan one kind of change each."""
