"""Describe changes: plan, journal entry, situation, wording."""
