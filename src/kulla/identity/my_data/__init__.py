"""My data: who looked, download, corrections, erasure."""
