"""Django's entry for this area."""

from django.apps import AppConfig


class HandingInConfig(AppConfig):
    """A receipt that the portal does not know."""

    name = "kulla.identity.handing_in"
    label = "identity_handing_in"
