"""Addresses of this area."""

from django.urls import URLPattern, path

from kulla.identity.accounts.views import account, activate, desk, not_me, recover

urlpatterns: list[URLPattern] = [
    path("activate", activate.begin, name="activate"),
    path("activate/code", activate.code, name="activate-code"),
    path("activate/letter", activate.letter, name="activate-letter"),
    path("activate/password", activate.password, name="account-password"),
    path("recover", recover.begin, name="recover"),
    path("recover/prove", recover.prove, name="recover-prove"),
    path("not-me/<str:token>", not_me.link, name="not-me"),
    path("my/account", account.overview, name="my-account"),
    path("my/account/cancel", account.cancel, name="my-account-cancel"),
    path("my/account/codes", account.codes, name="my-account-codes"),
    path("my/account/<str:channel>", account.change, name="my-account-channel"),
    path("counter/account/", desk.find, name="account-desk"),
    path("counter/account/requests", desk.requests, name="account-desk-requests"),
    path(
        "counter/account/requests/<uuid:request_id>/letter",
        desk.official_letter,
        name="account-desk-official-letter",
    ),
    path("counter/account/<str:visit>/", desk.person, name="account-desk-person"),
    path("counter/account/<str:visit>/release", desk.release, name="account-desk-release"),
    path("counter/account/<str:visit>/letter", desk.letter, name="account-desk-letter"),
    path("counter/account/<str:visit>/<str:channel>", desk.change, name="account-desk-channel"),
]
