"""Speak with the terminal outside of the console: signals, prompts, start-up."""
