"""Serialize requests, parse and check answers, and count what is sent."""
