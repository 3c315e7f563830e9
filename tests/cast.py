"""The small fixed cast of tests that need no running country: everyone's pseudonyms, always the same."""

from uuid import UUID

CITIZEN = UUID("0190c0de-0000-7000-8000-000000000001")
CHILD = UUID("0190c0de-0000-7000-8000-000000000002")  # her ward
STRANGER = UUID("0190c0de-0000-7000-8000-000000000003")
OFFICE = UUID("0190c0de-0000-7000-8000-00000000000a")  # where the clerk works
OTHER_OFFICE = UUID("0190c0de-0000-7000-8000-00000000000b")
