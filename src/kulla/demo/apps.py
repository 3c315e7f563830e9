"""The demo as a Django application: templates and pages, no tables."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "kulla.demo"
    label = "demo"
