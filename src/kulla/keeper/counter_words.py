"""What a visit at the counter is for, in the languages of notices."""

_WHAT = {
    "any": {"sq": "për shërbimet publike", "en": "for the public services"},
    "health": {"sq": "për shëndetin", "en": "for health"},
    "school": {"sq": "për shkollën", "en": "for school"},
    "travel": {"sq": "për udhëtimin dhe dokumentet", "en": "for travel and documents"},
    "money": {"sq": "për pagesat", "en": "for payments"},
}


def what_in_words(language: str, what: str) -> str:
    """The words of one purpose."""
    texts = _WHAT.get(what, _WHAT["any"])
    return texts.get(language) or texts["sq"]
