"""Kulla: a national portal of public services that keeps its word while it is attacked."""
