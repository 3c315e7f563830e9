"""Django's entry for this area."""

from django.apps import AppConfig


class CounterConfig(AppConfig):
    """The counter: acting with a citizen present, protected persons."""

    name = "kulla.identity.counter"
    label = "identity_counter"
