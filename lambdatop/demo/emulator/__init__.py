"""Run functions and keep metrics, logs and events as Lambda would."""
