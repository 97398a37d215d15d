"""Colour and format text."""
