"""Notices of accounts. $link is an address that freezes the account; codes go to telephones and letter boxes only."""

Texts = dict[str, dict[str, dict[str, str]]]


def _both(
    sq: tuple[str, str] | tuple[str, str, str], en: tuple[str, str] | tuple[str, str, str]
) -> dict[str, dict[str, str]]:
    """A text as (subject, body) or (subject, body, sms)."""
    return {"sq": _one(*sq), "en": _one(*en)}


def _one(subject: str, body: str, sms: str = "") -> dict[str, str]:
    return {"subject": subject, "body": body, **({"sms": sms} if sms else {})}


NOT_YOU_SQ = "\n\nNuk ishit ju? Ngrijeni menjëherë llogarinë: $link"
NOT_YOU_EN = "\n\nThis was not you? Freeze the account at once: $link"

TEXTS: Texts = {
    # Codes ---------------------------------------------------------------------------------------------
    "code_activation": _both(
        (
            "Kodi juaj",
            "Kodi për të aktivizuar llogarinë tuaj në Kulla: $code. Vlen 10 minuta. "
            "Mos ia tregoni askujt: asnjë zyrë nuk jua kërkon.",
        ),
        (
            "Your code",
            "The code to activate your account at Kulla: $code. It works for 10 minutes. "
            "Tell it to nobody: no office asks for it.",
        ),
    ),
    "code_recovery": _both(
        (
            "Kodi juaj",
            "Kodi për të rikthyer llogarinë tuaj në Kulla: $code. Vlen 10 minuta. Nuk e kërkuat ju? "
            "Mos ia tregoni askujt.",
        ),
        (
            "Your code",
            "The code to recover your account at Kulla: $code. It works for 10 minutes. You did not ask for it? "
            "Tell it to nobody.",
        ),
    ),
    "code_confirm": _both(
        (
            "Kodi juaj",
            "Kodi për sportelin: $code. Vlen 10 minuta. Thuajeni vetëm nëse jeni tani në sportel "
            "dhe kërkoni që zyrtari të veprojë për ju.",
        ),
        (
            "Your code",
            "The code for the counter: $code. It works for 10 minutes. Say it only if you are at a counter now "
            "and want the clerk to act for you.",
        ),
    ),
    "code_channel": _both(
        (
            "Kodi juaj",
            "Kodi për të vërtetuar se kjo adresë ose ky numër është juaji: $code. Vlen 10 minuta. "
            "Nuk e kërkuat ju? Mos bëni asgjë.",
        ),
        (
            "Your code",
            "The code to show that this address or number is yours: $code. It works for 10 minutes. "
            "You did not ask for it? Do nothing.",
        ),
    ),
    # Hints to who asked for a code that does not fit ------------------------------------------------------
    "already_active": _both(
        (
            "Llogaria juaj është aktive",
            "Dikush deshi të aktivizojë llogarinë tuaj në Kulla. Ajo është aktive; asgjë nuk ndryshoi. "
            "Nëse keni harruar fjalëkalimin, zgjidhni “Nuk hyj dot” te faqja e hyrjes.",
        ),
        (
            "Your account is active",
            "Somebody wanted to activate your account at Kulla. It is active; nothing has changed. "
            "If you forgot your password, choose “I cannot get in” on the sign-in page.",
        ),
    ),
    "not_active": _both(
        (
            "Nuk keni ende llogari",
            "Dikush deshi të rikthejë llogarinë tuaj në Kulla. Ju nuk keni ende llogari: "
            "zgjidhni “Aktivizoni llogarinë” te faqja e hyrjes.",
        ),
        (
            "You have no account yet",
            "Somebody wanted to recover your account at Kulla. You have no account yet: "
            "choose “Activate your account” on the sign-in page.",
        ),
    ),
    "ask_desk": _both(
        (
            "Rikthimi i llogarisë suaj",
            "Dikush deshi të rikthejë llogarinë tuaj në Kulla. Llogaritë e zyrtarëve nuk rikthehen me kod: "
            "paraqituni me një dokument në çdo sportel; vendosin dy administratorë.",
        ),
        (
            "Recovery of your account",
            "Somebody wanted to recover your account at Kulla. Accounts of officials are not recovered by a code: "
            "go to any counter with a document; two administrators decide.",
        ),
    ),
    # What happened to the account -------------------------------------------------------------------------
    "activated": _both(
        ("Llogaria juaj u aktivizua", "Llogaria juaj në Kulla u aktivizua tani." + NOT_YOU_SQ),
        ("Your account was activated", "Your account at Kulla was activated just now." + NOT_YOU_EN),
    ),
    "letter_given": _both(
        (
            "U dha një letër me kod për llogarinë tuaj",
            "Zyra “$office” dha një letër me kod, pasi pa një dokument tuajin. Me të mund të vihet një fjalëkalim "
            "i ri." + NOT_YOU_SQ,
        ),
        (
            "A letter with a code for your account was given",
            "The office “$office” gave a letter with a code after it saw a document of yours. With it a new "
            "password can be set." + NOT_YOU_EN,
        ),
    ),
    "letter_used": _both(
        (
            "Llogaria juaj u rihap me një letër",
            "Me letrën e sportelit u vu një fjalëkalim i ri. Gjithçka me të cilën hynit më parë nuk vlen më."
            + NOT_YOU_SQ,
        ),
        (
            "Your account was opened again with a letter",
            "With the letter from the counter a new password was set. Everything you signed in with before does "
            "not work any more." + NOT_YOU_EN,
        ),
    ),
    "password_recovered": _both(
        (
            "Fjalëkalimi juaj u ndryshua",
            "Llogaria juaj u rikthye dhe fjalëkalimi u ndryshua. Kudo tjetër u bë dalja." + NOT_YOU_SQ,
        ),
        (
            "Your password was changed",
            "Your account was recovered and its password changed. Everywhere else it was signed out."
            + NOT_YOU_EN,
        ),
    ),
    "factor_removed": _both(
        (
            "Hapi i dytë i hyrjes u hoq",
            "Nga llogaria juaj u hoq hapi i dytë i hyrjes (kodi i aplikacionit ose çelësi)." + NOT_YOU_SQ,
        ),
        (
            "The second step of signing in was removed",
            "The second step of signing in (the code of an app, or a key) was removed from your account."
            + NOT_YOU_EN,
        ),
    ),
    "recovery_waits_password": _both(
        (
            "Dikush kërkon të ndryshojë fjalëkalimin tuaj",
            "Dikush që merr kodet tuaja kërkon të ndryshojë fjalëkalimin. Kjo bëhet vetëm pas 72 orësh, që ju të "
            "keni kohë ta ndaloni." + NOT_YOU_SQ,
        ),
        (
            "Somebody asks to change your password",
            "Somebody who receives your codes asks to change the password. It can be done only after 72 hours, so "
            "that you have time to stop it." + NOT_YOU_EN,
        ),
    ),
    "recovery_waits_factor": _both(
        (
            "Dikush kërkon të heqë hapin e dytë të hyrjes",
            "Dikush që di fjalëkalimin tuaj kërkon të heqë hapin e dytë të hyrjes. Kjo bëhet vetëm pas 72 orësh, "
            "që ju të keni kohë ta ndaloni." + NOT_YOU_SQ,
        ),
        (
            "Somebody asks to remove the second step of signing in",
            "Somebody who knows your password asks to remove the second step of signing in. It can be done only "
            "after 72 hours, so that you have time to stop it." + NOT_YOU_EN,
        ),
    ),
    "paper_codes_made": _both(
        (
            "U bënë kode të reja rikthimi",
            "Për llogarinë tuaj u bënë dhjetë kode të reja rikthimi në letër. Kodet e mëparshme nuk vlejnë më."
            + NOT_YOU_SQ,
        ),
        (
            "New recovery codes were made",
            "Ten new recovery codes on paper were made for your account. The codes before do not work any more."
            + NOT_YOU_EN,
        ),
    ),
    # Channels ---------------------------------------------------------------------------------------------
    "phone_change_waits": _both(
        (
            "Numri juaj i telefonit do të ndryshojë",
            "U kërkua që numri i telefonit në llogarinë tuaj të ndryshojë. Ndryshimi vlen pas 72 orësh; deri "
            "atëherë mund ta ndaloni te “Llogaria ime”." + NOT_YOU_SQ,
        ),
        (
            "Your telephone number is going to change",
            "It was asked that the telephone number of your account changes. The change counts after 72 hours; "
            "until then you can stop it on “My account”." + NOT_YOU_EN,
        ),
    ),
    "email_change_waits": _both(
        (
            "Adresa juaj e postës do të ndryshojë",
            "U kërkua që adresa e postës elektronike në llogarinë tuaj të ndryshojë. Ndryshimi vlen pas 72 orësh; "
            "deri atëherë mund ta ndaloni te “Llogaria ime”." + NOT_YOU_SQ,
        ),
        (
            "Your e-mail address is going to change",
            "It was asked that the e-mail address of your account changes. The change counts after 72 hours; "
            "until then you can stop it on “My account”." + NOT_YOU_EN,
        ),
    ),
    "phone_changed": _both(
        (
            "Numri juaj i telefonit u ndryshua",
            "Numri i telefonit në llogarinë tuaj u ndryshua në sportel, pasi u pa një dokument juaji."
            + NOT_YOU_SQ,
        ),
        (
            "Your telephone number was changed",
            "The telephone number of your account was changed at a counter, after a document of yours was seen."
            + NOT_YOU_EN,
        ),
    ),
    "email_changed": _both(
        (
            "Adresa juaj e postës u ndryshua",
            "Adresa e postës elektronike në llogarinë tuaj u ndryshua në sportel, pasi u pa një dokument juaji."
            + NOT_YOU_SQ,
        ),
        (
            "Your e-mail address was changed",
            "The e-mail address of your account was changed at a counter, after a document of yours was seen."
            + NOT_YOU_EN,
        ),
    ),
    "channel_cancelled": _both(
        (
            "Ndryshimi u ndalua",
            "Ndryshimi i telefonit ose i postës në llogarinë tuaj u ndalua. Asgjë nuk ndryshoi.",
        ),
        (
            "The change was stopped",
            "The change of the telephone number or e-mail address of your account was stopped. Nothing changed.",
        ),
    ),
    # Freezing ---------------------------------------------------------------------------------------------
    "frozen": _both(
        (
            "Llogaria juaj u ngri",
            "Llogaria juaj u ngri, sepse u njoftua “nuk isha unë”. Askush nuk hyn dot, as ju. Shkoni me një "
            "dokument në çdo sportel: atje merrni një letër me të cilën e rihapni.",
        ),
        (
            "Your account is frozen",
            "Your account was frozen because “this was not me” was reported. Nobody gets in, not even you. Go to "
            "any counter with a document: there you get a letter that opens it again.",
        ),
    ),
    "released": _both(
        (
            "Llogaria juaj u çlirua",
            "Zyra “$office” e çliroi llogarinë tuaj, pasi pa një dokument tuajin, dhe ju dha një letër me kod. "
            "Gjithçka me të cilën hynit më parë nuk vlen më." + NOT_YOU_SQ,
        ),
        (
            "Your account was released",
            "The office “$office” released your account after it saw a document of yours, and gave a letter with a "
            "code. Everything you signed in with before does not work any more." + NOT_YOU_EN,
        ),
    ),
    # Officials --------------------------------------------------------------------------------------------
    "official_recovery_asked": _both(
        (
            "U kërkua rikthimi i llogarisë suaj",
            "Në një sportel u kërkua që llogaria juaj e zyrtarit të rikthehet. Vendosin dy administratorë."
            + NOT_YOU_SQ,
        ),
        (
            "Recovery of your account was asked for",
            "At a counter it was asked that your account as an official is recovered. Two administrators decide."
            + NOT_YOU_EN,
        ),
    ),
    "official_recovery_agreed": _both(
        (
            "Rikthimi i llogarisë suaj u miratua",
            "Dy administratorë e miratuan rikthimin e llogarisë suaj. Letrën e merrni në sportelin ku e kërkuat."
            + NOT_YOU_SQ,
        ),
        (
            "The recovery of your account was agreed to",
            "Two administrators agreed to the recovery of your account. You get the letter at the counter where you "
            "asked." + NOT_YOU_EN,
        ),
    ),
}
