"""The pages of my data."""
