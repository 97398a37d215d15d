"""Speak with AWS: turn API answers into events, and send a plan as one call. No other package does."""

from __future__ import annotations
