"""What this service declares about itself; the registry reads it and nothing outside the folder names it."""

from kulla.record.undoing.about import NotUndoable, Undo
from kulla.registry.services import Job, Service

_UNDOING = "kulla.services.appointments.undoing"

SERVICE = Service(
    slug="appointments",
    title={"sq": "Takim te mjeku", "en": "Medical appointments"},
    summary={
        "sq": "Gjeni një orar të lirë te mjeku, dentisti ose laboratori më i afërt dhe rezervojeni.",
        "en": "Find a free time at the nearest doctor, dentist or laboratory, and book it.",
    },
    keywords={
        "sq": "mjek, doktor, pediatër, dentist, vaksinë, analiza, laborator, gjinekolog, spital, vizitë, rezervim",
        "en": "doctor, GP, paediatrician, dentist, vaccine, tests, laboratory, gynaecologist, hospital, booking",
    },
    start="/appointments/",
    roles=("citizen", "receptionist"),
    scope="health",
    guardians_rule={
        "sq": "secili kujdestar mund të rezervojë, të ndryshojë ose të anulojë; vlen veprimi i fundit; "
        "çdo herë njoftohen të dy.",
        "en": "either guardian may book, move or cancel; the last act counts; both are told each time.",
    },
    kinds={
        "appointment.booked": {"sq": "Takim i rezervuar", "en": "Appointment booked"},
        "appointment.cancelled": {"sq": "Takim i anuluar", "en": "Appointment cancelled"},
        "appointment.arrived": {"sq": "Ardhje në takim", "en": "Arrived for the appointment"},
        "appointment.no_show": {"sq": "Mungesë në takim", "en": "Did not come to the appointment"},
        "appointment.ended": {"sq": "Takim i përfunduar", "en": "Appointment over"},
        "hours.changed": {"sq": "Orar i ndryshuar", "en": "Hours changed"},
        "office.opened": {"sq": "Zyrë e hapur", "en": "Office opened"},
        "practitioner.added": {"sq": "Mjek i shtuar", "en": "Practitioner added"},
        "appointment.undone": {
            "sq": "U zhbë një veprim me takimin",
            "en": "An act on the appointment undone",
        },
        "hours.undone": {"sq": "U zhbë një ndryshim orari", "en": "A change of hours undone"},
        "office.undone": {"sq": "U zhbë hapja e një zyre", "en": "An opening undone"},
    },
    undo={
        "appointment.booked": Undo("appointment.undone", f"{_UNDOING}:booked"),
        "appointment.cancelled": Undo("appointment.undone", f"{_UNDOING}:cancelled"),
        "appointment.arrived": Undo("appointment.undone", f"{_UNDOING}:marked"),
        "appointment.no_show": Undo("appointment.undone", f"{_UNDOING}:marked"),
        "appointment.ended": NotUndoable("it notes only that the day of an appointment has passed."),
        "hours.changed": Undo("hours.undone", f"{_UNDOING}:hours"),
        "office.opened": Undo("office.undone", f"{_UNDOING}:opening"),
        "practitioner.added": Undo("office.undone", f"{_UNDOING}:opening"),
        "appointment.undone": NotUndoable("it answers an act itself: record what is right by a new act."),
        "hours.undone": NotUndoable("it answers an act itself: record what is right by a new act."),
        "office.undone": NotUndoable("it answers an act itself: record what is right by a new act."),
    },
    jobs=(
        # Hourly: each run looks for appointments of earlier days, so that it works whenever the portal started.
        Job("end_past", 3600, "kulla.services.appointments.actions:end_past"),
        Job("drop_stale_holds", 600, "kulla.services.appointments.actions:drop_stale_holds"),
    ),
    # A subject may be read on a locked phone: it names neither the kind of care nor the place.
    notices={
        "booked": {
            "sq": {
                "subject": "Takimi juaj u rezervua",
                "body": "Takimi: $when, $where.\n\nMerrni me vete dokumentin e identitetit. "
                "Nëse nuk vini dot, anulojeni te “Faqja ime”, që ora t’i mbetet dikujt tjetër.",
            },
            "en": {
                "subject": "Your appointment is booked",
                "body": "The appointment: $when, $where.\n\nBring your identity document. "
                "If you cannot come, cancel it on “My page”, so that someone else can have the time.",
            },
        },
        "cancelled": {
            "sq": {
                "subject": "Takimi juaj u anulua",
                "body": "U anulua takimi: $when, $where.\n\nNëse ju duhet një orar tjetër, "
                "rezervojeni në portal ose telefononi zyrën.",
            },
            "en": {
                "subject": "Your appointment was cancelled",
                "body": "This appointment was cancelled: $when, $where.\n\nIf you need another time, "
                "book it on the portal or telephone the office.",
            },
        },
        "undone": {
            "sq": {
                "subject": "Një rezervim në emrin tuaj u zhbë",
                "body": "Dikush që nuk kishte të drejtë rezervoi në emrin tuaj një takim: $when, $where. "
                "Takimi u anulua.\n\nNëse ju duhet një takim, rezervojeni në portal ose telefononi zyrën.",
            },
            "en": {
                "subject": "A booking in your name was undone",
                "body": "Someone who had no right to booked an appointment in your name: $when, $where. "
                "It has been cancelled.\n\nIf you need an appointment, book it on the portal or telephone the office.",
            },
        },
        "restored": {
            "sq": {
                "subject": "Takimi juaj vlen sërish",
                "body": "Dikush që nuk kishte të drejtë e anuloi takimin tuaj: $when, $where. "
                "Anulimi u zhbë dhe takimi vlen sërish.\n\nNëse nuk vini dot, anulojeni te “Faqja ime”.",
            },
            "en": {
                "subject": "Your appointment stands again",
                "body": "Someone who had no right to cancelled your appointment: $when, $where. "
                "That was undone, and the appointment stands again.\n\nIf you cannot come, cancel it on “My page”.",
            },
        },
    },
    my="kulla.services.appointments.my:items",
    calendar="kulla.services.appointments.my:calendar",
    manage="kulla.services.appointments.my:manage",
    my_data="kulla.services.appointments.my_data:held",
    staff_home={"receptionist": "/reception/"},
)
