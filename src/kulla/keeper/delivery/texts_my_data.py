"""Notices of my data. They name neither an office nor what was asked: that stands on the person's page."""

TEXTS: dict[str, dict[str, dict[str, str]]] = {
    "question_answered": {
        "sq": {
            "subject": "Pyetja juaj mori përgjigje",
            "body": "Pyetja juaj se kush i pa të dhënat tuaja mori përgjigje. "
            "Lexojeni te “Faqja ime”, “Kush i pa të dhënat e mia”.",
        },
        "en": {
            "subject": "Your question was answered",
            "body": "Your question about who looked at your data was answered. "
            "Read it on “My page”, “Who looked at my data”.",
        },
    },
    "looks_shown_late": {
        "sq": {
            "subject": "Në faqen tuaj ka shikime të reja",
            "body": "Me urdhër të një gjykate, disa shikime të të dhënave tuaja ju shfaqen vetëm tani. "
            "Shihini te “Faqja ime”, “Kush i pa të dhënat e mia”.",
        },
        "en": {
            "subject": "Your page shows more looks",
            "body": "By order of a court some looks at your data are shown to you only now. "
            "See them on “My page”, “Who looked at my data”.",
        },
    },
    "correction_decided": {
        "sq": {
            "subject": "Kërkesa juaj për korrigjim u vendos",
            "body": "Zyra e regjistrit vendosi për kërkesën tuaj. Lexojeni te “Faqja ime”, “Të dhënat e mia”.",
        },
        "en": {
            "subject": "Your request for a correction was decided",
            "body": "The register’s office decided your request. Read it on “My page”, “My data”.",
        },
    },
    "erasure_decided": {
        "sq": {
            "subject": "Kërkesa juaj për fshirje u vendos",
            "body": "Zyra e regjistrit vendosi për kërkesën tuaj. Lexojeni te “Faqja ime”, “Të dhënat e mia”.",
        },
        "en": {
            "subject": "Your request for erasure was decided",
            "body": "The register’s office decided your request. Read it on “My page”, “My data”.",
        },
    },
}
