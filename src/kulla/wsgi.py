"""The portal as a WSGI application, and the threads that live beside it in the same process."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kulla.settings")

from django.conf import settings
from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

if settings.KULLA_SEQUENCER:
    from kulla.registry import background

    background.start()
