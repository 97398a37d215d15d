"""Write and read recordings of events."""
