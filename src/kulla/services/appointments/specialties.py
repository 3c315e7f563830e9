"""The kinds of care that can be booked. The code stands in rows and addresses, the words on pages."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Specialty:
    """One kind of care: its code, its name and one line that helps to choose it."""

    code: str
    name: str
    hint: str


def _all() -> tuple[Specialty, ...]:
    named = (
        ("gp", _("General practitioner"), _("Family doctor: the first person to see")),
        ("paediatrics", _("Paediatrician"), _("Doctor for babies, children and young people")),
        ("dentist", _("Dentist"), _("Teeth and gums")),
        ("vaccination", _("Vaccination"), _("For children and adults")),
        ("laboratory", _("Laboratory"), _("Blood and urine tests")),
        ("gynaecology", _("Gynaecologist"), _("Women’s health and pregnancy")),
        ("cardiology", _("Cardiologist"), _("Heart and blood pressure")),
        ("ophthalmology", _("Eye doctor"), _("Eyes and eyesight")),
        ("dermatology", _("Skin doctor"), _("Skin, hair and nails")),
        ("ent", _("Ear, nose and throat doctor"), _("Ears, nose and throat")),
        ("orthopaedics", _("Orthopaedist"), _("Bones and joints")),
        ("neurology", _("Neurologist"), _("Nerves, headaches and dizziness")),
    )
    return tuple(Specialty(code, name, hint) for code, name, hint in named)  # type: ignore[arg-type]


ALL = _all()
BY_CODE = {known.code: known for known in ALL}


def name(code: str) -> str:
    """The name of a kind of care in the active language; an unknown code stands for itself."""
    known = BY_CODE.get(code)
    return str(known.name) if known else code
