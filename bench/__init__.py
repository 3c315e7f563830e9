"""Measurements: `make bench`, `make bench ONLY=booking`, `make bench ONLY=journal`. Loopback only, bounded in time."""
