"""What every page looks like: templates, form fields, dates in words, error pages, headers, static files.

Looks only. This room knows no service, no person and no entry.
"""
