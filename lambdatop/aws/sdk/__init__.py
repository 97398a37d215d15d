"""Make sessions, credentials and clients of the SDK, and translate its errors."""
