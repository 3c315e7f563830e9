"""What people are told about their roles in offices. Subjects carry nothing personal."""

TEXTS: dict[str, dict[str, dict[str, str]]] = {
    "role_given": {
        "sq": {
            "subject": "Roli juaj në një zyrë",
            "body": "Ju keni një rol në zyrën $office deri më $until. Nëse nuk dini gjë për këtë, "
            "njoftoni menjëherë zyrën dhe mbyllni hyrjet tuaja.",
        },
        "en": {
            "subject": "Your role in an office",
            "body": "You have a role in the office $office until $until. If you know nothing of this, "
            "tell the office at once and end your sessions.",
        },
    },
    "role_offered": {
        "sq": {
            "subject": "Një rol u ofrua në emrin tuaj",
            "body": "Në emrin tuaj u ofrua një rol në zyrën $office. Nëse nuk e bëtë ju, tërhiqeni ofertën, "
            "mbyllni hyrjet tuaja dhe njoftoni një administrator tjetër.",
        },
        "en": {
            "subject": "A role was offered in your name",
            "body": "In your name a role in the office $office was offered. If it was not you, take the offer "
            "back, end your sessions and tell another administrator.",
        },
    },
    "role_over": {
        "sq": {
            "subject": "Roli juaj në një zyrë mbaroi",
            "body": "Roli juaj në zyrën $office mbaroi dhe hyrjet tuaja me të u mbyllën.",
        },
        "en": {
            "subject": "Your role in an office has ended",
            "body": "Your role in the office $office has ended, and your sessions in it with it.",
        },
    },
}
