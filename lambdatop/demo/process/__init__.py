"""Start, protect, feed and stop the emulator's processes."""
