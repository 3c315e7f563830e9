"""Addresses of appointments. None carries a person; a kind of care stands only in the public search, before
anybody has said for whom. Appointments and holds are named by random or meaningless ids.
"""

from django.urls import path

from kulla.services.appointments import hours, reception, views

app_name = "appointments"
urlpatterns = [
    path("appointments/", views.start, name="start"),
    path("appointments/find/<slug:specialty>/", views.place, name="place"),
    path("appointments/find/<slug:specialty>/all/", views.everywhere, name="everywhere"),
    path("appointments/find/<slug:specialty>/near/<int:number>/", views.near, name="near"),
    path("appointments/find/<slug:specialty>/at/<uuid:office>/", views.free_times, name="times"),
    path("appointments/choose/", views.choose, name="choose"),
    path("appointments/chosen/<uuid:practitioner>/<int:starts>/", views.chosen, name="chosen"),
    path("appointments/hold/", views.hold, name="hold"),
    path("appointments/hold/<uuid:hold_id>/", views.details, name="details"),
    path("appointments/book/", views.book, name="book"),
    path("appointments/<uuid:appointment>/", views.appointment, name="appointment"),
    path("appointments/<uuid:appointment>/cancel/", views.cancel, name="cancel"),
    path("appointments/<uuid:appointment>/calendar.ics", views.calendar, name="calendar"),
    path("reception/", reception.today, name="reception"),
    path("reception/day/<str:day>/", reception.day, name="reception-day"),
    path("reception/book/", reception.practitioners, name="reception-book"),
    path("reception/book/<uuid:practitioner>/", reception.phone_times, name="reception-times"),
    path("reception/book/<uuid:practitioner>/<int:starts>/", reception.phone, name="reception-phone"),
    path("reception/appointment/<uuid:appointment>/", reception.appointment, name="reception-appointment"),
    path("reception/appointment/<uuid:appointment>/arrived/", reception.arrived, name="reception-arrived"),
    path("reception/appointment/<uuid:appointment>/no-show/", reception.no_show, name="reception-no-show"),
    path("reception/appointment/<uuid:appointment>/cancel/", reception.cancel, name="reception-cancel"),
    path("reception/hours/", hours.diaries, name="reception-hours"),
    path("reception/hours/<uuid:practitioner>/", hours.diary, name="reception-diary"),
]
