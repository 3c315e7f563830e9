"""What visitors see while the country is wiped: the counter, or, when that broke off, what happened and what to do."""

import html
from typing import Any

from kulla.cli.supervisor import pages

STEPS = {
    "hold": ("Portali dhe ruajtësi ndalen", "Killing the portal and the keeper"),
    "count": ("Numërohet çka ishte marrë", "Counting what had been received"),
    "delete": ("Fshihen portali dhe ruajtësi", "Deleting the portal and the keeper"),
    "rebuild": ("Rindërtim nga pasqyrat", "Rebuilding from the mirrors"),
    "compare": ("Krahasim me çka ishte marrë", "Comparing with what had been received"),
    "start": ("Nisje", "Starting again"),
}
PROGRESS = {
    "keeper": ("Shënime të ruajtësit", "Records of the keeper"),
    "entries": ("Shënime të ditarit të verifikuara", "Entries verified"),
    "copy": ("Skedarë të ditarit", "Files of the journal"),
    "rows": ("Shënime të rikthyera në tabela", "Entries back in the tables"),
}
REFRESH_S, FAILED_REFRESH_S = 1, 5
WORDS = {
    "title": ("Rezervimet tuaja janë të sigurta", "Your bookings are safe"),
    "lead": (
        "Portali dhe ruajtësi i këtij vendi prove u fshinë vërtet. Po rindërtohen nga pasqyrat e pavarura; kjo faqe "
        "ndjek punën dhe pastaj ju kthen vetë.",
        "The portal and the keeper of this demo country were really deleted. They are being rebuilt from the "
        "independent mirrors; this page follows the work and leads back by itself.",
    ),
    "lead-before": (
        "Portali dhe ruajtësi i këtij vendi prove po ndalen. Pastaj fshihen vërtet dhe rindërtohen nga pasqyrat e "
        "pavarura.",
        "The portal and the keeper of this demo country are being stopped. Then they are really deleted and rebuilt "
        "from the independent mirrors.",
    ),
    "done": ("u krye", "done"),
    "now": ("tani", "now"),
    "later": ("më vonë", "later"),
    "broken": ("u ndërpre", "broke off"),
    "entries": ("{} shënime", "{} entries"),
    "failed": ("Rindërtimi dështoi", "The rebuild failed"),
    "failed-count": ("Fshirja nuk filloi", "The wipe did not begin"),
    "failed-start": ("Portali nuk niset sërish", "The portal does not start again"),
    "at": ("U ndërpre te hapi: {}.", "It broke off at this step: {}."),
    "mirrors": (
        "Pasqyrat mbajnë ende gjithçka që është marrë: atje nuk u fshi asgjë. Çdo dëftesë mbetet e vlefshme dhe "
        "verifikohet edhe pa portalin.",
        "The mirrors still hold everything that was received: nothing was deleted there. Every receipt stays valid "
        "and can be verified without the portal.",
    ),
    "untouched": (
        "Asgjë nuk u fshi. Portali po niset sërish dhe kjo faqe kthehet vetë.",
        "Nothing was deleted. The portal is being started again, and this page comes back by itself.",
    ),
    "rebuilt": (
        "Gjithçka u rindërtua. Portali po niset sërish dhe kjo faqe kthehet vetë.",
        "Everything was rebuilt. The portal is being started again, and this page comes back by itself.",
    ),
    "closed": (
        "Portali mbetet i mbyllur derisa operatori ta provojë sërish në këtë makinë:",
        "The portal stays closed until the operator tries again on this machine:",
    ),
    "cause": ("Shkaku:", "The cause:"),
}


def words(key: str, language: str) -> str:
    """One of the sentences above."""
    return WORDS[key][language == "en"]


def whole(state: dict[str, Any], head: bytes) -> str:
    """The page for the visitor with this request head, from the state of a wipe."""
    language = pages.language_of(head)
    if state["step"] == "failed":
        title, body = failed(state, language)
        return pages.page(head, title, body, refresh_s=FAILED_REFRESH_S)
    return pages.page(head, words("title", language), counter(state, language), refresh_s=REFRESH_S)


def counter(state: dict[str, Any], language: str) -> str:
    """Every step with its state, and its numbers as they grow, as trusted HTML."""
    place = language == "en"
    order = list(STEPS)
    now = order.index(state["step"]) if state["step"] in order else len(order)
    rows = []
    for number, step in enumerate(order):
        if number < now:
            told = _tag("received", words("done", language))
        elif number == now:
            told = _tag("waiting", words("now", language))
        else:
            told = _tag("grey", words("later", language))
        if step == "count" and "before" in state:
            told += f" <strong>{html.escape(words('entries', language).format(_number(state['before'])))}</strong>"
        rows.append((STEPS[step][place], told))
        if step == "rebuild":
            rows += [
                (PROGRESS.get(what, (what, what))[place], _bar(done, total))
                for what, (done, total) in state.get("progress", {}).items()
            ]
    listed = "".join(
        '<div class="govuk-summary-list__row">'
        f'<dt class="govuk-summary-list__key">{html.escape(label)}</dt>'
        f'<dd class="govuk-summary-list__value">{told}</dd></div>'
        for label, told in rows
    )
    lead = words("lead" if now > order.index("delete") else "lead-before", language)
    return (
        f'{pages.heading(words("title", language))}<p class="govuk-body-l">{html.escape(lead)}</p>'
        f'<dl class="govuk-summary-list">{listed}</dl>'
    )


def failed(state: dict[str, Any], language: str) -> tuple[str, str]:
    """Title and body (trusted HTML) of the page after a wipe that broke off: what, where, and what to do now."""
    at = state["at"]
    kind = {"untouched": "failed-count", "rebuilt": "failed-start"}.get(state["left"], "failed")
    title = words(kind, language)
    said = [words("at", language).format(STEPS[at][language == "en"])]
    if state["left"] == "nothing":
        said += [words("mirrors", language), words("closed", language)]
    else:
        said += [words(state["left"], language)]
    body = pages.heading(title) + "".join(f'<p class="govuk-body">{html.escape(line)}</p>' for line in said)
    if state["left"] == "nothing":
        body += f'<pre class="kulla-pre kulla-scroll"><code>{html.escape(state["command"])}</code></pre>'
    body += (
        f'<div class="govuk-inset-text"><p class="govuk-body-s">{html.escape(words("cause", language))} '
        f'<span lang="en">{html.escape(state["sentence"])}</span></p></div>'
    )
    return title, body


def _tag(colour: str, text: str) -> str:
    return f'<strong class="govuk-tag govuk-tag--{colour}">{html.escape(text)}</strong>'


def _number(number: int) -> str:
    return f"{number:,}".replace(",", "\u202f")


def _bar(done: int, total: int) -> str:
    if done == total:
        return f"<strong>{_number(done)}</strong>"
    bar = f'<progress max="{total}" value="{done}" aria-hidden="true"></progress>'
    return f"<strong>{_number(done)} / {_number(total)}</strong> {bar}"
