"""Counts the SQL statements of pages, in a process with a country's environment but without its sequencer.

In: JSON {"cookies": {…}, "paths": […]} on standard input. Out: JSON {path: [status, statements]}.
"""

import json
import os
import sys


def main() -> None:
    """Ask each page twice (the second time as a warm process would answer) and count the second."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "kulla.settings"
    import django

    django.setup()
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    asked = json.load(sys.stdin)
    client = Client(SERVER_NAME="127.0.0.1")
    for name, value in asked["cookies"].items():
        client.cookies[name] = value
    counted = {}
    for path in asked["paths"]:
        client.get(path)
        with CaptureQueriesContext(connection) as statements:
            answer = client.get(path)
        counted[path] = [answer.status_code, len(statements)]
    sys.stdout.write(json.dumps(counted))
    sys.stdout.flush()
    os._exit(0)  # the door's polling thread has nothing to finish


if __name__ == "__main__":
    main()
