"""Ask and confirm."""
