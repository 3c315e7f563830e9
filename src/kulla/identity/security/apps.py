"""Django's entry for this area."""

from django.apps import AppConfig


class SecurityConfig(AppConfig):
    """Signing in: passkeys, second factors, sessions."""

    name = "kulla.identity.security"
    label = "identity_security"
