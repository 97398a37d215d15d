"""Fold events into the World."""
