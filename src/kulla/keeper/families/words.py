"""What the keeper itself says about families, in the reader's language: the portal never learns these names."""

from collections.abc import Iterable, Mapping

ACTED = {
    "sq": {
        "me": "Këtë e bëri $actor, që mund të veprojë për ju.",
        "other": "Këtë e bëri $actor, që mund të veprojë për: $person.",
        "itself": "Këtë e bëri vetë $actor.",
        "unknown": "Këtë e bëri dikush tjetër që mund të vepronte për: $person.",
        "rule": "Rregulli i këtij shërbimi: $rule",
    },
    "en": {
        "me": "$actor, who may act for you, did this.",
        "other": "$actor, who may act for $person, did this.",
        "itself": "$actor did this in person.",
        "unknown": "Somebody else who could act for $person did this.",
        "rule": "The rule of this service: $rule",
    },
}

SCOPES = {
    "sq": {"health": "shëndeti", "school": "shkolla", "travel": "udhëtimi", "money": "paratë"},
    "en": {"health": "health", "school": "school", "travel": "travel", "money": "money"},
}


def scopes_in(scopes: Iterable[str], language: str) -> str:
    """Scopes in words, joined by commas."""
    words = SCOPES.get(language) or SCOPES["sq"]
    return ", ".join(words[scope] for scope in scopes)


def yes_no(value: bool, language: str) -> str:
    """Yes or no in words."""
    return {"en": ("no", "yes")}.get(language, ("jo", "po"))[value]


RELATIONS = {
    "sq": {"child": "prind dhe fëmijë", "ward": "kujdestari"},
    "en": {"child": "parent and child", "ward": "guardianship"},
}
LIMITS = {
    "sq": {
        "no_travel": "pa udhëtimin",
        "no_money": "pa paratë",
        "no_health": "pa shëndetin",
        "no_school": "pa shkollën",
        "supervised": "takime vetëm nën mbikëqyrje",
        "other": "kufizim tjetër",
    },
    "en": {
        "no_travel": "without travel",
        "no_money": "without money",
        "no_health": "without health",
        "no_school": "without school",
        "supervised": "meetings under supervision only",
        "other": "another limit",
    },
}


def word(texts: Mapping[str, Mapping[str, str]], code: str, language: str) -> str:
    """A code in words; an unknown one stands for itself."""
    return (texts.get(language) or texts["sq"]).get(code, code)
