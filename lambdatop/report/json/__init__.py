"""Render as JSON."""
