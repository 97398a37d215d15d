"""State findings with their evidence: registry, grouping, documentation."""
