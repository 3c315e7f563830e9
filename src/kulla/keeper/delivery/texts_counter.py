"""Notices of the counter and about protected persons. They name the office, and nobody."""

_BEGUN_SQ = (
    "Sot një zyrtar i zyrës $office filloi të veprojë bashkë me ju në portal, me ju të pranishëm. "
    "E konfirmuat $way. Nëse nuk ishit atje, hapni “Nuk isha unë” ose telefononi zyrën menjëherë. "
    "Te “Faqja ime”, “Ndihmë në sportel” shihni çdo herë."
)
_BEGUN_EN = (
    "Today an official of $office began to act with you on the portal, with you present. "
    "You confirmed it $way. If you were not there, open “This was not me” or telephone the office at once. "
    "“My page”, “Help at a counter” shows every time."
)


def _begun(way_sq: str, way_en: str) -> dict[str, dict[str, str]]:
    return {
        "sq": {"subject": "U veprua me ju në një sportel", "body": _BEGUN_SQ.replace("$way", way_sq)},
        "en": {"subject": "Help at a counter has begun", "body": _BEGUN_EN.replace("$way", way_en)},
    }


TEXTS: dict[str, dict[str, dict[str, str]]] = {
    "code_counter": {
        "sq": {
            "subject": "Kodi juaj për sportelin",
            "body": "Kulla: $code është kodi juaj. E kërkon zyra $office, $what, ndërsa jeni në sportel. "
            "Nëse nuk jeni atje, mos ia jepni askujt.",
        },
        "en": {
            "subject": "Your code for the counter",
            "body": "Kulla: $code is your code. The office $office asks for it, $what, while you are at its counter. "
            "If you are not there, give it to nobody.",
        },
    },
    "counter_begun_code": _begun("me kodin në telefonin tuaj", "with the code on your phone"),
    "counter_begun_pin": _begun("me PIN-in tuaj të sportelit", "with your counter PIN"),
    "counter_begun_signature": _begun(
        "me nënshkrim, para një zyrtari të dytë", "by signing, before a second official"
    ),
    "counter_pin_set": {
        "sq": {
            "subject": "PIN-i juaj i sportelit u vendos",
            "body": "PIN-i i sportelit u vendos nga ju te “Faqja ime”. Nëse nuk ishit ju, hiqeni atje.",
        },
        "en": {
            "subject": "Your counter PIN was set",
            "body": "You set your counter PIN on “My page”. If it was not you, remove it there.",
        },
    },
    "counter_pin_desk": {
        "sq": {
            "subject": "PIN-i juaj i sportelit u vendos",
            "body": "PIN-i i sportelit u vendos në zyrën $office, para dy zyrtarëve. "
            "Nëse nuk ishit atje, telefononi zyrën menjëherë.",
        },
        "en": {
            "subject": "Your counter PIN was set",
            "body": "Your counter PIN was set at $office, before two officials. "
            "If you were not there, telephone the office at once.",
        },
    },
    "counter_pin_removed": {
        "sq": {"subject": "PIN-i juaj i sportelit u hoq", "body": "PIN-i i sportelit u hoq te “Faqja ime”."},
        "en": {
            "subject": "Your counter PIN was removed",
            "body": "Your counter PIN was removed on “My page”.",
        },
    },
    "counter_pin_locked": {
        "sq": {
            "subject": "PIN-i juaj i sportelit u bllokua",
            "body": "Në sportelin e zyrës $office u shtyp pesë herë një PIN i gabuar në emrin tuaj. PIN-i u bllokua; "
            "hyrja juaj në portal jo. Vendosni një PIN të ri te “Faqja ime” ose në një zyrë.",
        },
        "en": {
            "subject": "Your counter PIN is locked",
            "body": "At the counter of $office a wrong PIN was typed five times in your name. The PIN is locked; your "
            "signing in is not. Set a new PIN on “My page” or at an office.",
        },
    },
    "protected_looked": {
        "sq": {
            "subject": "U panë të dhëna të mbrojtura",
            "body": "Një zyrtar i zyrës $office po sheh të dhëna të një personi të mbrojtur, kontakti i të cilit jeni "
            "ju, pasi e lejoi një zyrtar i dytë. Nëse kjo ju shqetëson, telefononi zyrën.",
        },
        "en": {
            "subject": "Protected data was looked at",
            "body": "An official of $office is looking at data of a protected person whose contact you are, after a "
            "second official allowed it. If this worries you, telephone the office.",
        },
    },
    "protected_found": {
        "sq": {
            "subject": "U kërkua një numër i mbrojtur",
            "body": "Një zyrtar i zyrës $office kërkoi numrin e një personi të mbrojtur, kontakti i të cilit jeni ju. "
            "Nuk iu tregua asgjë. Nëse kjo ju shqetëson, telefononi zyrën.",
        },
        "en": {
            "subject": "A protected number was searched for",
            "body": "An official of $office searched for the number of a protected person whose contact you are. "
            "Nothing was shown. If this worries you, telephone the office.",
        },
    },
    "protected_set": {
        "sq": {
            "subject": "Mbrojtja filloi",
            "body": "Dy zyrtarë të regjistrit vendosën që të dhënat tuaja, ose të personit që ju ka zgjedhur "
            "si kontakt, të jenë të mbrojtura. Për çdo shikim duhet një zyrtar i dytë, dhe ju lajmëroheni menjëherë.",
        },
        "en": {
            "subject": "The protection has begun",
            "body": "Two officials of the register decided that your data, or that of the person who chose you as "
            "contact, is protected. Each look needs a second official, and you are told at once.",
        },
    },
    "protected_ended": {
        "sq": {
            "subject": "Mbrojtja mbaroi",
            "body": "Dy zyrtarë të regjistrit i dhanë fund mbrojtjes së të dhënave tuaja, ose të personit që ju ka "
            "zgjedhur si kontakt. Nëse kjo është gabim, telefononi zyrën e regjistrit.",
        },
        "en": {
            "subject": "The protection has ended",
            "body": "Two officials of the register ended the protection of your data, or of that of the person who "
            "chose you as contact. If this is a mistake, telephone the register’s office.",
        },
    },
}
