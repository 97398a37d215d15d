"""The only room that speaks to AWS: API answers become events, plans become one call."""

from __future__ import annotations
