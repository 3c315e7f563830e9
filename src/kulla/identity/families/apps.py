"""Django's entry for this area."""

from django.apps import AppConfig


class FamiliesConfig(AppConfig):
    """Families: guardians, representatives, heirs."""

    name = "kulla.identity.families"
    label = "identity_families"
