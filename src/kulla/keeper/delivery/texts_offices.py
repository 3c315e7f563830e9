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
    "role_ending": {
        "sq": {
            "subject": "Roli juaj në një zyrë mbaron së shpejti",
            "body": "Roli juaj në zyrën $office mbaron më $until. Nëse duhet të vazhdojë, kërkojani "
            "administratorit të zyrës para asaj dite.",
        },
        "en": {
            "subject": "Your role in an office ends soon",
            "body": "Your role in the office $office ends on $until. If it should go on, ask the administrator of "
            "the office before that day.",
        },
    },
    "roles_ending": {
        "sq": {
            "subject": "Role në zyrat tuaja mbarojnë së shpejti",
            "body": "Numri i roleve që mbarojnë së shpejti në zyrat që administroni: $count. I pari mbaron më $until, "
            "në zyrën $office. Te faqja e zyrave tuaja i zgjatni ose i lini të mbarojnë.",
        },
        "en": {
            "subject": "Roles in your offices end soon",
            "body": "Number of roles that end soon in the offices that you administer: $count. The first ends on "
            "$until, in the office $office. On the page of your offices you renew them or let them end.",
        },
    },
    "operator_ending": {
        "sq": {
            "subject": "Roli juaj mbaron së shpejti",
            "body": "Roli juaj si operator i portalit mbaron më $until. Rolin e zgjat komanda kulla offices renew, në "
            "makinën e ruajtësit, me dy persona të pranishëm.",
        },
        "en": {
            "subject": "Your role ends soon",
            "body": "Your role as operator of the portal ends on $until. The command kulla offices renew renews it, at "
            "the keeper's own machine, with two people present.",
        },
    },
}
