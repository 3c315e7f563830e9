"""Addresses of this area."""

from django.urls import URLPattern, path

from kulla.identity.my_data.views import data, desk, looks, officials, public, requests

urlpatterns: list[URLPattern] = [
    path("my/looks", looks.page, name="my-looks"),
    path("my/looks.csv", looks.as_csv, name="my-looks-csv"),
    path("my/looks.json", looks.as_json, name="my-looks-json"),
    path("my/looks/<uuid:ref>/ask", looks.ask, name="my-look-ask"),
    path("my/questions/<uuid:question>", looks.question, name="my-question"),
    path("my/data", data.page, name="my-data"),
    path("my/data/download.json", data.download, {"how": "json"}, name="my-data-json"),
    path("my/data/download.pdf", data.download, {"how": "pdf"}, name="my-data-pdf"),
    path("my/data/correct", requests.correct, name="my-data-correct"),
    path("my/data/erase", requests.erase, name="my-data-erase"),
    path("my/data/erase/<uuid:erasure>/withdraw", requests.withdraw, name="my-data-erase-withdraw"),
    path("my/settings", data.settings, name="my-settings"),
    path("questions/", officials.questions, name="questions"),
    path("questions/order", officials.order, name="look-order"),
    path("questions/<uuid:question>", officials.answer, name="question-answer"),
    path("registry-desk/", desk.queue, name="registry-desk"),
    path("registry-desk/corrections/<uuid:correction>", desk.correction, name="registry-desk-correction"),
    path(
        "registry-desk/corrections/<uuid:correction>/document", desk.document, name="registry-desk-document"
    ),
    path("registry-desk/erasures/<uuid:erasure>", desk.erasure, name="registry-desk-erasure"),
    path("transparency", public.transparency, name="transparency"),
]
