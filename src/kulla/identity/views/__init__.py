"""Views only fetch, validate, call and redirect. One module for each part of the house."""
