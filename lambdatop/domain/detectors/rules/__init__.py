"""Detect one kind of trouble each."""
