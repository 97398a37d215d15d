"""Render the audit report."""
