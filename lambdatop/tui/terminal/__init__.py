"""Write to the terminal: differences, pacing, capabilities."""
