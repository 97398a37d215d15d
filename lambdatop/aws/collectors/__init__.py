"""Read one kind of AWS resource each, round after round, and emit events."""
