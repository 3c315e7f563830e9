"""Addresses of this area."""

from django.urls import URLPattern, path

from kulla.identity.families import desk, views

urlpatterns: list[URLPattern] = [
    path("my/family", views.family, name="my-family"),
    path("my/family/representative", views.offer, name="family-offer"),
    path("my/family/representative/<uuid:mandate>", views.mandate, name="family-mandate"),
    path("my/family/represent", views.accept, name="family-accept"),
    path("counter/family/", desk.page, name="counter-family"),
    path("counter/family/guardian", desk.guardian, name="counter-family-guardian"),
    path("counter/family/guardian/end", desk.end, name="counter-family-end"),
    path("counter/family/heirs", desk.heir, name="counter-family-heir"),
    path("counter/family/heirs/end", desk.heir_end, name="counter-family-heir-end"),
]
