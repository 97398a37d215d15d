"""Lead from a key to a plan and its confirmation."""
