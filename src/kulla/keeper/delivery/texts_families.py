"""What the keeper writes about families. A telephone message names nobody: others see its first line."""

_PAGE = {"sq": "Shihni “Familja ime” te faqja juaj.", "en": "See “My family” on your page."}
_NOT_YOU = {
    "sq": "Nëse diçka nuk është e saktë, njoftoni zyrën e gjendjes civile.",
    "en": "If something is not right, tell the civil-status office.",
}


def _text(subject: tuple[str, str], body: tuple[str, str], sms: tuple[str, str]) -> dict[str, dict[str, str]]:
    """(Albanian, English) of each part; the body ends with the way to the page."""
    return {
        code: {
            "subject": subject[n],
            "body": f"{body[n]}\n\n{_PAGE[code]}",
            "sms": f"Kulla: {sms[n]} {_PAGE[code]}",
        }
        for n, code in enumerate(("sq", "en"))
    }


def _official(
    subject: tuple[str, str], body: tuple[str, str], sms: tuple[str, str]
) -> dict[str, dict[str, str]]:
    """The same for what two officials did."""
    return _text(subject, (f"{body[0]} {_NOT_YOU['sq']}", f"{body[1]} {_NOT_YOU['en']}"), sms)


TEXTS: dict[str, dict[str, dict[str, str]]] = {
    "guardianship_made_actor": _official(
        ("U regjistrua një kujdestari", "A guardianship was recorded"),
        (
            "Dy zyrtarë të gjendjes civile regjistruan që ju jeni kujdestar për: $name.",
            "Two officials of the civil-status office recorded that you are a guardian of $name.",
        ),
        ("u regjistrua një kujdestari juaja.", "a guardianship of yours was recorded."),
    ),
    "guardianship_made_others": _official(
        ("U regjistrua një kujdestari", "A guardianship was recorded"),
        (
            "Dy zyrtarë të gjendjes civile regjistruan një kujdestar tjetër në familjen tuaj: $name.",
            "Two officials of the civil-status office recorded another guardian in your family: $name.",
        ),
        ("u regjistrua një kujdestar në familjen tuaj.", "a guardian was recorded in your family."),
    ),
    "guardianship_ended_actor": _official(
        ("Një kujdestari mbaroi", "A guardianship has ended"),
        (
            "Dy zyrtarë të gjendjes civile regjistruan që kujdestaria juaj mbaroi për: $name.",
            "Two officials of the civil-status office recorded that your guardianship of $name has ended.",
        ),
        ("një kujdestari juaja mbaroi.", "a guardianship of yours has ended."),
    ),
    "guardianship_ended_others": _official(
        ("Një kujdestari mbaroi", "A guardianship has ended"),
        (
            "Dy zyrtarë të gjendjes civile regjistruan që nuk është më kujdestar në familjen tuaj: $name.",
            "Two officials of the civil-status office recorded that $name is no longer a guardian in your family.",
        ),
        ("një kujdestari në familjen tuaj mbaroi.", "a guardianship in your family has ended."),
    ),
    "heir_actor": _official(
        ("U regjistruat si trashëgimtar", "You were recorded as an heir"),
        (
            "Dy zyrtarë regjistruan që ju jeni trashëgimtar dhe mund të kryeni veprimet që mbetën për: $name.",
            "Two officials recorded that you are an heir and may finish what is left to do for $name.",
        ),
        ("u regjistruat si trashëgimtar.", "you were recorded as an heir."),
    ),
    "heir_ended_actor": _official(
        ("E drejta juaj si trashëgimtar mbaroi", "Your right as an heir has ended"),
        (
            "Dy zyrtarë regjistruan që ju nuk veproni më si trashëgimtar për: $name.",
            "Two officials recorded that you no longer act as an heir for $name.",
        ),
        ("e drejta juaj si trashëgimtar mbaroi.", "your right as an heir has ended."),
    ),
    "mandate_accepted": _text(
        ("Përfaqësuesi juaj pranoi", "Your representative has accepted"),
        (
            "$name pranoi të jetë përfaqësuesi juaj. Vlen vetëm pasi ta konfirmoni ju.\n\n"
            "Nëse nuk e njihni këtë emër, mos e konfirmoni: refuzojeni te faqja juaj.",
            "$name has accepted to be your representative. It counts only when you confirm it.\n\n"
            "If you do not know this name, do not confirm: refuse it on your page.",
        ),
        (
            "dikush pranoi të jetë përfaqësuesi juaj; vlen vetëm nëse e konfirmoni.",
            "somebody has accepted to be your representative; it counts only if you confirm it.",
        ),
    ),
    "mandate_holds_person": _text(
        ("Keni një përfaqësues", "You have a representative"),
        (
            "$name tani mund të veprojë për ju. Mund ta ndërprisni në çdo kohë.",
            "$name may now act for you. You can end it at any time.",
        ),
        ("tani keni një përfaqësues.", "you now have a representative."),
    ),
    "mandate_holds_representative": _text(
        ("Jeni përfaqësues", "You are a representative"),
        (
            "Tani mund të veproni për: $name. Mund ta ndërprisni në çdo kohë.",
            "You may now act for $name. You can end it at any time.",
        ),
        ("tani jeni përfaqësues i dikujt.", "you now represent somebody."),
    ),
    "mandate_ended_person": _text(
        ("Përfaqësimi mbaroi", "A representation has ended"),
        ("$name nuk vepron më për ju.", "$name no longer acts for you."),
        ("një përfaqësim mbaroi.", "a representation has ended."),
    ),
    "mandate_ended_representative": _text(
        ("Përfaqësimi mbaroi", "A representation has ended"),
        ("Ju nuk veproni më për: $name.", "You no longer act for $name."),
        ("një përfaqësim mbaroi.", "a representation has ended."),
    ),
    "came_of_age": {
        "sq": {
            "subject": "Tani mund të keni llogarinë tuaj",
            "body": "Ju mbushët 18 vjeç. Që sot veproni vetë: prindërit ose kujdestarët nuk veprojnë më për ju dhe nuk "
            "i shohin më të dhënat tuaja.\n\nHapni llogarinë tuaj me “Hap një llogari” në faqen e hyrjes, ose "
            "në çdo zyrë me një dokument.",
            "sms": "Kulla: mbushët 18 vjeç, që sot veproni vetë. Hapni llogarinë tuaj në faqen e hyrjes ose "
            "në çdo zyrë.",
        },
        "en": {
            "subject": "You can have your own account now",
            "body": "You are 18. From today you act for yourself: your parents or guardians no longer act for you, and "
            "they no longer see your data.\n\nOpen your account with “Open an account” on the sign-in page, or at "
            "any office with a document.",
            "sms": "Kulla: you are 18 and act for yourself from today. Open your account on the sign-in page or at "
            "any office.",
        },
    },
    "ward_came_of_age": _text(
        ("Kujdestaria mbaroi me moshën", "A guardianship has ended with age"),
        (
            "$name mbushi 18 vjeç dhe që sot vepron vetë. Ju nuk veproni më për këtë person dhe nuk i shihni më "
            "të dhënat e tij.",
            "$name is 18 and acts alone from today. You no longer act for this person, and no longer see their data.",
        ),
        (
            "një kujdestari juaja mbaroi me moshën 18 vjeç.",
            "a guardianship of yours has ended at the age of 18.",
        ),
    ),
}
