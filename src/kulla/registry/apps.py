"""Django's entry for the registry."""

from django.apps import AppConfig


class RegistryConfig(AppConfig):
    """Declares the services' entry kinds to the record, and the checks that refuse a contradictory configuration."""

    name = "kulla.registry"
    label = "registry"

    def ready(self) -> None:
        """Register the system checks and every service's kinds."""
        from kulla.record import kinds  # noqa: PLC0415  (its models need the apps to be there)
        from kulla.record.undoing import about  # noqa: PLC0415
        from kulla.registry import checks, services  # noqa: F401, PLC0415

        for service in services.all_services():
            kinds.declare(service.slug, service.kinds)
            for kind, how in service.undo.items():
                about.declare(kind, how, services.load)
