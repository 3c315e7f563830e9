"""Addresses of the portal: each room brings its own; services are found by folder."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from kulla.registry import services

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("kulla.identity.urls")),
    *(path("", include(service.urls)) for service in services.all_services()),
]
if settings.KULLA_DEMO:
    urlpatterns.append(path("demo/", include("kulla.demo.urls")))

handler400 = "kulla.web.errors.bad_request"
handler403 = "kulla.web.errors.forbidden"
handler404 = "kulla.web.errors.not_found"
handler500 = "kulla.web.errors.server_error"
