"""Parse and redact single log lines, and keep the tail of a log."""
