"""Make the Snapshot from World, findings and journal."""
