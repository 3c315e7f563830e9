"""`kulla up`: starts every program of a home, keeps the public port, restarts what dies and names the cause."""
