"""Django's entry for the looks."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Templates, static files and translations shared by every room."""

    name = "kulla.web"
    label = "web"
