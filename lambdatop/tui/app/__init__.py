"""Run the console: keys, palette, type-ahead."""
