"""A small Django app with kept tables of every shape, for the tests of record only."""
