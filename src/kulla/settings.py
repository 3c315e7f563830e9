"""Settings of the portal: everything that differs between two machines comes from the environment.

The composition root: with `urls` and `wsgi` the only place that knows every room. There is no default
for a secret: without a key file the process makes an ephemeral key, which `checks.py` refuses in production.
"""

import json
import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

PACKAGE = Path(__file__).resolve().parent


def env_bool(name: str, default: bool = False) -> bool:
    """The environment variable as a yes or no: 1/0, true/false, yes/no. Raises ValueError for anything else."""
    value = os.environ.get(name, "").strip().lower()
    if not value:
        return default
    if value in {"1", "true", "yes"}:
        return True
    if value in {"0", "false", "no"}:
        return False
    raise ValueError(f"{name} must be 1 or 0, not {value!r}")


def env_int(name: str, default: int) -> int:
    """The environment variable as a whole number. Raises ValueError when it is none."""
    value = os.environ.get(name, "").strip()
    return int(value) if value else default


def env_secret(name: str, file: Path | None = None) -> str | None:
    """A secret from NAME, from the file that NAME_FILE points to, or from `file`; None when there is none."""
    if value := os.environ.get(name):
        return value
    path = Path(os.environ[f"{name}_FILE"]) if os.environ.get(f"{name}_FILE") else file
    return path.read_text().strip() if path and path.exists() else None


def database(url: str, home: Path) -> dict[str, Any]:
    """The Django database of a `postgresql://user:password@host:port/name` URL; SQLite in the home when empty."""
    if not url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.environ.get("KULLA_SQLITE", str(home / "portal" / "db.sqlite3")),
            "OPTIONS": {
                # IMMEDIATE: a deferred transaction that turns into a writer fails under several writers
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
            },
        }
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ValueError("KULLA_DATABASE_URL must begin with postgresql:// or be empty for SQLite")
    query = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair)
    return {
        "ENGINE": "kulla.record.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(query.pop("host", "") or parts.hostname or ""),
        "PORT": str(parts.port or query.pop("port", "")),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "options": "-c default_transaction_isolation=read\\ committed",
            # Parsed and planned once a connection.
            "server_side_binding": True,
            "prepare_threshold": 2,
        },
    }


KULLA_HOME = Path(os.environ.get("KULLA_HOME", "var/demo")).resolve()
KULLA_DEMO = env_bool("KULLA_DEMO") and (PACKAGE / "demo").is_dir()
DEBUG = env_bool("KULLA_DEBUG")
ALLOWED_HOSTS = os.environ.get("KULLA_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
# How many front servers of our own each request passes; each adds to X-Forwarded-For.
KULLA_PROXIES = env_int("KULLA_PROXIES", 0)
CSRF_TRUSTED_ORIGINS = [o for o in os.environ.get("KULLA_ORIGINS", "").split(",") if o]

# -- keys and doors
KULLA_PORTAL = KULLA_HOME / "portal"
KULLA_COOKIE_KEY = env_secret("KULLA_COOKIE_KEY", KULLA_PORTAL / "keys" / "cookie.key") or secrets.token_hex(
    32
)
KULLA_CHECKPOINT_KEY = Path(
    os.environ.get("KULLA_CHECKPOINT_KEY_FILE", KULLA_PORTAL / "keys" / "checkpoint.key")
)
KULLA_KEEPER_SOCKET = os.environ.get("KULLA_KEEPER_SOCKET", str(KULLA_HOME / "run" / "keeper.sock"))
KULLA_POLICY = Path(os.environ.get("KULLA_POLICY", KULLA_HOME / "policy"))
KULLA_JOURNAL_DIR = KULLA_PORTAL / "journal"
KULLA_OUTBOX_LIMIT = env_int("KULLA_OUTBOX_LIMIT", 20_000)
KULLA_SEQUENCER = env_bool("KULLA_SEQUENCER")  # the portal process sets it; commands and tests do not
KULLA_CONTROL_SOCKET = os.environ.get("KULLA_CONTROL_SOCKET", "")  # the supervisor's ear, in a demo only


def recipients() -> list[str]:
    """Hex X25519 public keys that every segment key is wrapped for: the rebuild key, then the keeper."""
    path = KULLA_PORTAL / "recipients.json"
    found: list[str] = json.loads(path.read_text()) if path.exists() else []
    return found


KULLA_RECIPIENTS = recipients()
SECRET_KEY = KULLA_COOKIE_KEY

# -- Django
SERVICE_FOLDERS = sorted(path.parent.name for path in (PACKAGE / "services").glob("*/service.py"))
# Rooms in their order of reading; services are found by folder, so that a new one touches nothing here.
ROOMS = ["web", "record", "registry", "identity"]
# The areas of identity, each a folder of its own with pages, texts and templates.
IDENTITY_AREAS = sorted(path.parent.name for path in (PACKAGE / "identity").glob("*/urls.py"))
INSTALLED_APPS = [
    "django.contrib.staticfiles",
    *(f"kulla.{room}" for room in ROOMS),
    *(f"kulla.identity.{area}" for area in IDENTITY_AREAS),
    *(f"kulla.services.{name}" for name in SERVICE_FOLDERS),
    *(["kulla.demo"] if KULLA_DEMO else []),
]
ROOM_FOLDERS = [PACKAGE / room for room in ROOMS]
ROOM_FOLDERS += [PACKAGE / "identity" / area for area in IDENTITY_AREAS]
ROOM_FOLDERS += [PACKAGE / "services" / name for name in SERVICE_FOLDERS]
if KULLA_DEMO:
    ROOM_FOLDERS.append(PACKAGE / "demo")

MIDDLEWARE = [
    "kulla.web.middleware.PlainErrors",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "kulla.web.middleware.Headers",
    "kulla.web.middleware.CleanInput",
    "kulla.web.middleware.Language",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "kulla.registry.middleware.Access",
]
ROOT_URLCONF = "kulla.urls"
WSGI_APPLICATION = "kulla.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [folder / "templates" for folder in ROOM_FOLDERS],
        "OPTIONS": {
            "environment": "kulla.web.jinja.environment",
            "context_processors": ["kulla.registry.context.page"],
        },
    }
]
DATABASES = {"default": database(os.environ.get("KULLA_DATABASE_URL", ""), KULLA_HOME)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"
CSRF_FAILURE_VIEW = "kulla.web.errors.csrf_failure"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
# Not every browser takes secure cookies on plain HTTP, not even from localhost: a demo runs without TLS.
KULLA_TLS = env_bool("KULLA_TLS", default=not KULLA_DEMO and not DEBUG)
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE = KULLA_TLS
SECURE_SSL_REDIRECT = False  # the front server's work; the portal listens on loopback
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if KULLA_TLS else None
X_FRAME_OPTIONS = "DENY"

LANGUAGE_CODE = "sq"
LANGUAGES = [("sq", "Shqip"), ("en", "English")]
LANGUAGE_COOKIE_NAME = "language"
LOCALE_PATHS = [folder / "locale" for folder in ROOM_FOLDERS]
USE_I18N = True
TIME_ZONE = "Europe/Tirane"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = PACKAGE / "web" / "static"
STATICFILES_DIRS: list[str] = []
# A name with the hash of its content never means anything else: browsers keep it for ever.
WHITENOISE_IMMUTABLE_FILE_TEST = r"^.+-[0-9a-f]{12}\..+$"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
DATA_UPLOAD_MAX_NUMBER_FILES = 4
FILE_UPLOAD_HANDLERS = ["kulla.web.uploads.Bounded"]  # never a file on the portal's disk
APPEND_SLASH = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": os.environ.get("KULLA_LOG", "INFO")},
    # Django logs each 4xx with its path; a path is public here, but the noise hides what matters.
    # A forged Host header is answered with 400; a stack trace for each would fill the disk.
    "loggers": {
        "django.request": {"level": "ERROR"},
        "django.security.DisallowedHost": {"level": "CRITICAL"},
    },
}
