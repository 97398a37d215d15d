"""The least that a key can cost: each is written back at once. What this takes, the machine takes."""

from __future__ import annotations

import os
import sys
import tty

if __name__ == "__main__":
    tty.setraw(sys.stdin.fileno())
    os.write(1, b"ready")
    while key := os.read(0, 64):
        os.write(1, key)
