"""Notices about how one signs in. $link is an address that freezes the account; $name is a passkey's or a device's."""

Texts = dict[str, dict[str, dict[str, str]]]

_NOT_YOU = {
    "sq": "\n\nNuk ishit ju? Ngrijeni menjëherë llogarinë: $link",
    "en": "\n\nThis was not you? Freeze the account at once: $link",
}


def _both(subject_sq: str, body_sq: str, subject_en: str, body_en: str) -> dict[str, dict[str, str]]:
    texts = {"sq": (subject_sq, body_sq), "en": (subject_en, body_en)}
    return {
        language: {"subject": subject, "body": body + _NOT_YOU[language]}
        for language, (subject, body) in texts.items()
    }


TEXTS: Texts = {
    "signed_in_new_place": _both(
        "Hyrje e re në llogarinë tuaj",
        "Sapo u hy në llogarinë tuaj në Kulla nga një pajisje dhe nga një rrjet që nuk janë përdorur më parë: $name.",
        "A new sign-in to your account",
        "Somebody has just signed in to your account at Kulla, with a device and from a network that were not used "
        "before: $name.",
    ),
    "password_changed": _both(
        "Fjalëkalimi juaj u ndryshua",
        "Fjalëkalimi i llogarisë suaj në Kulla sapo u ndryshua. Hyrjet e tjera u mbyllën.",
        "Your password was changed",
        "The password of your account at Kulla has just been changed. All other sessions have ended.",
    ),
    "totp_added": _both(
        "Kodet e telefonit u shtuan",
        "Tani e tutje, kur hyni në Kulla me fjalëkalim, kërkohet edhe kodi nga aplikacioni i telefonit tuaj.",
        "Codes from a phone were added",
        "From now on signing in to Kulla with your password also asks for the code from the app on your phone.",
    ),
    "totp_replaced": _both(
        "Kodet e telefonit u zëvendësuan",
        "Kodet për të hyrë në Kulla vijnë tani nga një aplikacion tjetër. Të vjetrat nuk vlejnë më.",
        "The codes from your phone were replaced",
        "The codes for signing in to Kulla now come from another app. The old ones do not work any more.",
    ),
    "totp_removed": _both(
        "Kodet e telefonit u hoqën",
        "Për të hyrë në Kulla nuk kërkohet më kodi i telefonit.",
        "Codes from your phone were removed",
        "Signing in to Kulla does not ask for the code from your phone any more.",
    ),
    "passkey_added": _both(
        "Një çelës hyrjeje u shtua",
        "Llogarisë suaj në Kulla iu shtua një çelës hyrjeje: $name.",
        "A passkey was added",
        "A passkey was added to your account at Kulla: $name.",
    ),
    "passkey_removed": _both(
        "Një çelës hyrjeje u hoq",
        "Nga llogaria juaj në Kulla u hoq një çelës hyrjeje: $name.",
        "A passkey was removed",
        "A passkey was removed from your account at Kulla: $name.",
    ),
    "passkey_copied": _both(
        "Një çelës hyrjeje mund të jetë kopjuar",
        "Dikush provoi të hynte në llogarinë tuaj me një kopje të çelësit tuaj të hyrjes: $name. Hyrja u refuzua. "
        "Hiqeni këtë çelës nga llogaria dhe krijoni një të ri.",
        "A passkey may have been copied",
        "Somebody tried to sign in to your account with what looks like a copy of your passkey: $name. It was refused. "
        "Remove this passkey from your account and make a new one.",
    ),
}
