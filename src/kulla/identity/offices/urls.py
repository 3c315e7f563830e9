"""Addresses of this area."""

from django.urls import URLPattern, path

from kulla.identity.offices.views import admin, change, decisions, offers, public, review

urlpatterns: list[URLPattern] = [
    path("offices/", public.offices, name="offices"),
    path("offices/<uuid:office>/", public.office, name="office"),
    path("offices/admin/", admin.overview, name="offices-admin"),
    path("offices/admin/<uuid:office>/", admin.office, name="office-admin"),
    path("offices/admin/<uuid:office>/roles/<uuid:role>/renew", admin.renew, name="role-renew"),
    path("offices/admin/<uuid:office>/roles/<uuid:role>/end", admin.end, name="role-end"),
    path("offices/admin/<uuid:office>/review", review.review, name="office-review"),
    path("offices/admin/<uuid:office>/change", change.change, name="office-change"),
    path("offices/admin/<uuid:office>/new", change.add, name="office-add"),
    path("offices/admin/<uuid:office>/move", change.move, name="office-move"),
    path("offices/admin/<uuid:office>/close", change.close, name="office-close"),
    path("offices/admin/<uuid:office>/offer", offers.offer, name="role-offer"),
    path("offices/admin/offers", offers.offered, name="role-offers"),
    path("offices/my-roles", offers.mine, name="my-offers"),
    path("offices/my-roles/offer", offers.answer, name="my-offer"),
    path("offices/my-roles/<uuid:role>/leave", offers.leave, name="my-role-leave"),
    path("decisions", decisions.page, name="decisions"),
    path("decisions/<uuid:request_id>", decisions.decide, name="decision"),
    path("decisions/<uuid:request_id>/take-back", decisions.take_back, name="decision-take-back"),
]
