"""What people write in a request for a correction, and what the keeper gets of it."""

import pytest

from kulla.identity.my_data.forms import CorrectionForm


@pytest.mark.parametrize(
    ("field", "typed", "given"),
    [
        ("birth_date", "27.3.1985", "1985-03-27"),
        ("birth_date", " 7/12/2001 ", "2001-12-07"),
        ("birth_date", "1985-03-27", "1985-03-27"),
        ("birth_date", "mars 1985", "mars 1985"),  # the keeper says that this is no day
        ("sex", "Femër", "f"),
        ("sex", "MASHKULL", "m"),
        ("sex", "f", "f"),
        ("address", "27.3.1985", "27.3.1985"),
    ],
)
def test_a_day_and_a_sex_may_be_written_as_people_do(field: str, typed: str, given: str) -> None:
    form = CorrectionForm({"field": field, "value": typed, "reason": "gabim"})
    assert form.is_valid()
    assert form.cleaned_data["value"] == given
