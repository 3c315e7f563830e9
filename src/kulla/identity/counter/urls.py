"""Addresses of this area."""

from django.urls import URLPattern, path

from kulla.identity.counter.views import clerk, confirm, finish, my, protected

urlpatterns: list[URLPattern] = [
    path("counter/", clerk.start, name="counter"),
    path("counter/visit/<uuid:visit>/", clerk.visit, name="counter-visit"),
    path("counter/visit/<uuid:visit>/release", clerk.release, name="counter-visit-release"),
    path("counter/visit/<uuid:visit>/send", confirm.send, name="counter-send"),
    path("counter/visit/<uuid:visit>/code", confirm.code, name="counter-code"),
    path("counter/visit/<uuid:visit>/pin", confirm.pin, name="counter-pin"),
    path("counter/visit/<uuid:visit>/signature", confirm.signature, name="counter-signature"),
    path("counter/visit/<uuid:visit>/new-pin", confirm.new_pin, name="counter-new-pin"),
    path("counter/finish", finish.page, name="counter-finish"),
    path("counter/end", finish.end, name="counter-end"),
    path("counter/release", protected.release, name="counter-release"),
    path("counter/protect", protected.protect, name="counter-protect"),
    path("counter/unprotect", protected.unprotect, name="counter-unprotect"),
    path("my/counter", my.page, name="my-counter"),
]
