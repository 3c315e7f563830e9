"""Promises that span rooms, and the tools that tests of every room share."""
