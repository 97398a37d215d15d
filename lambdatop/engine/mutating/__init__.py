"""Propose, confirm and execute plans, and recover unfinished ones."""
