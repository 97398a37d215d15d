"""Run one command of the command line each."""
