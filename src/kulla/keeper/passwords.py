"""Which passwords may be set: none that the first million guesses find, nor what is known of the person.

The estimate is zxcvbn's (common passwords, names, words, keyboard rows, dates, repeats). Albanian words and places
that it does not know stand here. Nothing is asked about capital letters or signs: length and surprise count.
"""

import unicodedata
from collections.abc import Iterable

from zxcvbn import zxcvbn

from kulla.keeper.errors import Refusal

SHORTEST = 10
LONGEST = 256
ESTIMATED = 64  # characters that are looked at: a hundred take a second, and what is longer is no weaker
ENOUGH = 3  # zxcvbn's score: at least 10^8 guesses

# What people here choose. Compared without ë and ç, like everything.
COMMON = (
    *(
        "kulla",
        "portali",
        "ekulla",
        "fjalekalim",
        "fjalekalimi",
        "fjalkalim",
        "fjalkalimi",
        "sekret",
        "hyrje",
    ),
    *("shqiperi", "shqiperia", "shqipe", "shqiponja", "albania", "kosova", "kosove", "arberia", "iliria"),
    *("tirana", "tirane", "durres", "durresi", "vlora", "vlore", "shkodra", "shkoder", "elbasan", "elbasani"),
    *(
        "korca",
        "korce",
        "fier",
        "fieri",
        "berat",
        "berati",
        "gjirokaster",
        "gjirokastra",
        "saranda",
        "sarande",
    ),
    *("lushnja", "lushnje", "kukes", "kukesi", "pogradec", "kavaja", "kavaje", "prishtina", "prishtine"),
    *("skenderbeu", "skenderbej", "kastrioti", "besa", "flamuri", "atdheu", "atdhe", "mirdita", "mirembrema"),
    *("miredita", "mirmengjes", "mirmengjesi", "tungjatjeta", "pershendetje", "dashuria", "dashuri", "jeta"),
    *("zemra", "zemer", "shpirti", "shpirt", "familja", "familje", "nena", "nene", "babai", "baba", "motra"),
    *("vellai", "bija", "biri", "femijet", "femija", "shtepia", "shtepi", "pranvera", "vera", "vjeshta"),
    *("dimri", "hena", "dielli", "yjet", "deti", "mali", "lumi", "luani", "ujku", "shqiponje", "kuqezi"),
    *("janar", "shkurt", "mars", "prill", "maj", "qershor", "korrik", "gusht", "shtator", "tetor", "nentor"),
    *("dhjetor", "hena", "marta", "merkure", "enjte", "premte", "shtune", "diel", "futboll", "futbolli"),
    *("qwertz", "qwertzuiop", "administrator", "policia", "spitali", "mjeku", "shkolla", "ministria"),
)


def check(password: str, known: Iterable[str]) -> None:
    """Raise Refusal("weak_password") unless the password may be set.

    `known`: what others know of the person (names, numbers, dates, places). `reason` is "short", "long", "common",
    "personal", "pattern" (rows, repeats, dates) or "guessable"; "short" has `shortest`. The password is never part
    of a refusal.
    """
    if len(unicodedata.normalize("NFC", password)) < SHORTEST:
        raise _weak("short", shortest=SHORTEST)
    if len(password) > LONGEST:
        raise _weak("long", longest=LONGEST)
    plain = unaccented(password)[:ESTIMATED]
    own = _own(known)
    found = zxcvbn(plain, [*own, *COMMON], max_length=ESTIMATED)
    parts = [
        (part["pattern"], part.get("dictionary_name"), part["token"].lower()) for part in found["sequence"]
    ]
    personal = sum(len(token) for token in own_parts(plain.lower(), own))
    if 2 * personal >= len(plain):
        raise _weak("personal")
    if found["score"] >= ENOUGH:
        return
    words = [token for pattern, _, token in parts if pattern == "dictionary"]
    if any(token in own for token in words):
        raise _weak("personal")
    if words:
        raise _weak("common")
    raise _weak("pattern" if any(pattern != "bruteforce" for pattern, _, _ in parts) else "guessable")


def own_parts(plain: str, own: Iterable[str]) -> list[str]:
    """The parts of a password that are known of the person, the longest first, each place once."""
    found = []
    for word in sorted(own, key=len, reverse=True):
        if word in plain:
            found.append(word)
            plain = plain.replace(word, "\0", 1)
    return found


def unaccented(text: str) -> str:
    """Without ë and ç: who guesses tries both. Letters of other alphabets stay."""
    parts = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(sign for sign in parts if not unicodedata.combining(sign)))


def _own(known: Iterable[str]) -> set[str]:
    """Words of at least three letters and numbers of at least four digits out of what is known, and dates in the
    ways in which people write them."""
    words: set[str] = set()
    for text in known:
        plain = unaccented(text).lower()
        year, *rest = plain.split("-") if plain.count("-") == 2 else (plain,)
        if rest and year.isdigit():
            month, day = rest
            words |= {
                year,
                year + month + day,
                day + month + year,
                month + day + year,
                day + month + year[2:],
            }
            words |= {f"{day}.{month}.{year}", f"{day}/{month}/{year}", f"{day}-{month}-{year}", plain}
            continue
        whole = "".join(sign for sign in plain if sign.isalnum())
        spaced = "".join(sign if sign.isalnum() else " " for sign in plain)
        words |= {whole, *spaced.split()}
    return {word for word in words if len(word) >= (4 if word.isdigit() else 3)}


def _weak(reason: str, **details: int) -> Refusal:
    return Refusal("weak_password", "This password could be guessed.", reason=reason, **details)
