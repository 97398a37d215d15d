"""Declare what the engine and the console need from others."""
