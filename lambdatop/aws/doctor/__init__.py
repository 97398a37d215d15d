"""Check what the credentials may read, whether endpoints answer, and what a mitigation would need."""
