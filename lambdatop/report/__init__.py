"""Render snapshots as JSON, text and Markdown; compute nothing."""
