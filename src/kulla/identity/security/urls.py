"""Addresses of this area."""

from django.urls import URLPattern, path

from kulla.identity.security import views

urlpatterns: list[URLPattern] = [
    path("my/security", views.overview, name="my-security"),
    path("my/security/confirm", views.confirm, name="my-security-confirm"),
    path("my/security/confirm/options", views.confirm_options, name="my-security-confirm-options"),
    path("my/security/confirm/passkey", views.confirm_passkey, name="my-security-confirm-passkey"),
    path("my/security/password", views.password, name="my-password"),
    path("my/security/codes", views.codes, name="my-codes"),
    path("my/security/codes/remove", views.remove_codes, name="my-codes-remove"),
    path("my/security/passkeys/new", views.new_passkey, name="my-passkey-new"),
    path("my/security/passkeys/options", views.new_passkey_options, name="my-passkey-options"),
    path("my/security/passkeys/<str:mark>", views.one_passkey, name="my-passkey"),
    path("my/sessions", views.sessions, name="my-sessions"),
    path("my/role", views.role, name="my-role"),
]
