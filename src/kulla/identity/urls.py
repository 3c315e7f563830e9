"""Addresses of the identity pages."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from kulla.identity.views import my, operation, public, receipts, sign_in

urlpatterns: list[URLPattern | URLResolver] = [
    path("", public.front, name="front"),
    path("services", public.services, name="services"),
    path("language", public.language, name="language"),
    path("about", public.about, name="about"),
    path("privacy", public.privacy, name="privacy"),
    path("accessibility", public.accessibility, name="accessibility"),
    path("verify", public.verify, name="verify"),
    path("verify/policy", public.policy_file, name="policy"),
    path("status", public.status, name="status"),
    path("sign-in", sign_in.sign_in, name="sign-in"),
    path("sign-in/passkey", sign_in.passkey, name="sign-in-passkey"),
    path("sign-in/passkey/options", sign_in.passkey_options, name="sign-in-passkey-options"),
    path("sign-out", sign_in.sign_out, name="sign-out"),
    path("my", my.page, name="my"),
    path("inbox", my.inbox, name="inbox"),
    path("receipts/<uuid:uuid>/", receipts.page, name="receipt"),
    path("receipts/<uuid:uuid>/status", receipts.status, name="receipt-status"),
    path("receipts/<uuid:uuid>/receipt.tlog-proof", receipts.text, name="receipt-text"),
    path("receipts/<uuid:uuid>/receipt.txt", receipts.text, name="receipt-txt"),
    path("receipts/<uuid:uuid>/receipt.pdf", receipts.pdf, name="receipt-pdf"),
    path("operator", operation.page, name="operator"),
    path("staff/", operation.staff, name="staff"),
    *(path("", include(f"kulla.identity.{area}.urls")) for area in settings.IDENTITY_AREAS),
]
