"""Delivery: telling people by SMS and e-mail, and in a demo by a page that shows what would have gone out."""
