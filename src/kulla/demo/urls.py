"""Addresses of the demo, under /demo/; included only when KULLA_DEMO=1 and the package is there."""

from django.urls import path

from kulla.demo import views

urlpatterns = [
    path("enter/<str:who>", views.enter, name="demo-enter"),
    path("wipe", views.wipe, name="demo-wipe"),
    path("wiped", views.wiped, name="demo-wiped"),
    path("thief", views.thief, name="demo-thief"),
    path("phone", views.phone, name="demo-phone"),
    path("phone/enter", views.enter_as, name="demo-enter-as"),
    path("thief/loot.zip", views.loot, name="demo-loot"),
]
