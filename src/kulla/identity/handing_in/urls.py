"""Addresses of this area."""

from django.urls import URLPattern, path

from kulla.identity.handing_in import views

urlpatterns: list[URLPattern] = [path("verify/hand-in", views.page, name="hand-in")]
