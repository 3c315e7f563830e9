"""The counter: acting with a citizen present, protected persons."""
