"""Match patterns in time linear to the text."""
