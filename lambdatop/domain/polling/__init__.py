"""Decide which metrics are asked for, when, and at what cost."""
