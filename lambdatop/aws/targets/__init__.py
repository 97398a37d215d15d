"""Find what the user names, and read its state afresh before a change."""
