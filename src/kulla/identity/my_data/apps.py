"""Django's entry for this area."""

from django.apps import AppConfig


class MyDataConfig(AppConfig):
    """My data: who looked, download, corrections, erasure."""

    name = "kulla.identity.my_data"
    label = "identity_my_data"
