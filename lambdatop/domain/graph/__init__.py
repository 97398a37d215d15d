"""Connect resources: triggers, cycles, dead-letter paths."""
