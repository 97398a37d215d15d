"""Study log lines: requests, fingerprints, digests, exact cost."""
