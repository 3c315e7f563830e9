"""A receipt that the portal does not know: handed in, verified, and kept until its fact is back."""
