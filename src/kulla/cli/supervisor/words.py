"""What `kulla up` says in the portal's place: (title, paragraphs) in each language."""

Words = dict[str, tuple[str, tuple[str, ...]]]

AWAY: Words = {
    "sq": (
        "Portali po kthehet",
        (
            "Portali nuk përgjigjet për çastin dhe po rindizet vetë. Kjo faqe provon sërish pas pak sekondash.",
            "Çka është marrë, është e ruajtur: çdo dëftesë mbetet e vlefshme dhe verifikohet edhe pa portalin.",
            "Presin: hyrja, rezervimet e reja dhe faqja juaj.",
        ),
    ),
    "en": (
        "The portal is coming back",
        (
            "The portal does not answer at the moment and is being started again. This page tries again in a "
            "few seconds.",
            "What was received is safe: every receipt stays valid and can be verified without the portal.",
            "Waiting: signing in, new bookings and your own page.",
        ),
    ),
}
NOT_TAKEN: Words = {
    "sq": (
        "Asgjë nuk u dërgua",
        (
            "Portali nuk përgjigjet, prandaj asgjë nga ajo që dërguat nuk u mor.",
            "Kthehuni një faqe prapa dhe dërgojeni sërish pas pak: shfletuesi i ruan ato që keni shkruar.",
        ),
    ),
    "en": (
        "Nothing was sent",
        (
            "The portal does not answer, so nothing of what you sent was taken.",
            "Go back one page and send it again in a little while: your browser keeps what you typed.",
        ),
    ),
}
UNKNOWN: Words = {
    "sq": (
        "Nuk dihet nëse u mor",
        (
            "Portali u ndërpre ndërsa po e merrte dërgesën tuaj, prandaj nuk dimë nëse u mor.",
            "Kthehuni një faqe prapa dhe dërgojeni sërish pas pak: shfletuesi i ruan ato që keni shkruar, "
            "dhe i njëjti formular i dërguar dy herë merret vetëm një herë.",
        ),
    ),
    "en": (
        "It is not known whether it was taken",
        (
            "The portal broke off while it was taking what you sent, so we do not know whether it was taken.",
            "Go back one page and send it again in a little while: your browser keeps what you typed, and the "
            "same form sent twice is taken only once.",
        ),
    ),
}
FRAME = {
    "sq": {
        "front": "shërbime publike, faqja e parë",
        "skip": "Kalo te përmbajtja kryesore",
        "language": "Gjuha",
        "licence": "Kod i hapur nën licencën EUPL-1.2",
    },
    "en": {
        "front": "public services, front page",
        "skip": "Skip to main content",
        "language": "Language",
        "licence": "Open source under the EUPL-1.2 licence",
    },
}
NAMES = {"sq": "Shqip", "en": "English"}
