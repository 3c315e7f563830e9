"""Django's entry for this area."""

from django.apps import AppConfig


class OfficesConfig(AppConfig):
    """Offices, officials and what two people decide."""

    name = "kulla.identity.offices"
    label = "identity_offices"
