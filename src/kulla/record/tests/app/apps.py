from django.apps import AppConfig


class TryConfig(AppConfig):
    name = "kulla.record.tests.app"
    label = "record_try"
    default_auto_field = "django.db.models.BigAutoField"
