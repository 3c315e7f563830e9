"""Django's entry for the registry."""

from django.apps import AppConfig


class RegistryConfig(AppConfig):
    """Loads the checks that refuse a contradictory configuration."""

    name = "kulla.registry"
    label = "registry"

    def ready(self) -> None:
        """Register the system checks."""
        from kulla.registry import checks  # noqa: F401, PLC0415  (checks need the apps to be there)
