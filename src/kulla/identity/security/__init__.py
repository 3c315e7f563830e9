"""Signing in: passkeys, second factors, sessions."""
