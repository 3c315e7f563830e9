"""A PostgreSQL server of our own: made, started and stopped by the tests and the bench, never the machine's.

It listens on a Unix socket in a private folder only, so no port can be taken and nothing leaves the machine.
fsync stays on: a promise that is tested on a server that forgets is not tested.
"""

import grp
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

MISSING = "PostgreSQL's server programs are missing. Install them with: apt-get install -y postgresql"


class PostgresMissing(Exception):
    """The machine has no PostgreSQL server programs; the message names the command that installs them."""


def programs() -> Path:
    """The folder of initdb and postgres, the newest version first. Raises PostgresMissing."""
    folders = sorted(
        (path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()),
        key=lambda path: int(path.parent.name),
    )
    if folders:
        return folders[-1]
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    raise PostgresMissing(MISSING)


class Server:
    """One server. PostgreSQL refuses to run as root: then it runs as the system user `postgres`."""

    def __init__(self, options: dict[str, str] | None = None) -> None:
        """`options` are postgresql.conf settings in addition to the defaults, such as {"shared_buffers": "256MB"}."""
        self.bin = programs()
        self.options = options or {}
        self.folder = Path(tempfile.mkdtemp(prefix="kulla-pg-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._as: dict[str, object] = {}
        self.user = pwd.getpwuid(os.getuid()).pw_name
        if os.getuid() == 0:
            self.user = "postgres"
            owner = pwd.getpwnam("postgres")
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
            groups = [group.gr_gid for group in grp.getgrall() if "postgres" in group.gr_mem]
            self._as = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": groups}

    def url(self, name: str = "postgres") -> str:
        """The address of a database of this server, as KULLA_DATABASE_URL takes it."""
        return f"postgresql://{self.user}@/{name}?host={self.folder}"

    @property
    def pid(self) -> int:
        """The server's process id."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> "Server":
        """Make the data folder and start; returns when the server answers. Raises RuntimeError with its log."""
        data = self.folder / "data"
        self._run(
            "initdb",
            "-D",
            str(data),
            "-A",
            "trust",
            "-U",
            self.user,
            "-E",
            "UTF8",
            "--no-locale",
            "--no-sync",
        )
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.folder),
            "unix_socket_permissions": "0777",  # the folder itself is 0700
            "max_connections": "120",
            **self.options,
        }
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [str(self.bin / "postgres"), "-D", str(data), *arguments],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,  # Ctrl-C in the terminal is for the tests; they stop the server
                **self._as,  # type: ignore[call-overload]
            )
        until = time.monotonic() + 30
        while time.monotonic() < until:
            ready = subprocess.run(
                [str(self.bin / "pg_isready"), "-q", "-h", str(self.folder)], check=False, timeout=10
            )
            if ready.returncode == 0:
                return self
            if self._process.poll() is not None:
                break
            time.sleep(0.05)
        log_text = (self.folder / "log").read_text(errors="replace")[-2000:]
        self.stop()
        raise RuntimeError(f"PostgreSQL did not start:\n{log_text}")

    def stop(self) -> None:
        """Stop the server by its own pid and delete its folder."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(2)  # SIGINT: fast shutdown, open connections are closed
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.send_signal(3)
                self._process.wait(20)
        self._process = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def psql(self, sql: str, database: str = "postgres") -> str:
        """Run SQL, give its bare output. Raises subprocess.CalledProcessError."""
        return self._run("psql", "-h", str(self.folder), "-X", "-q", "-A", "-t", "-c", sql, database)

    def pgbench(self, *arguments: str, database: str) -> str:
        """Run pgbench against one database of this server, give its output."""
        return self._run("pgbench", "-h", str(self.folder), *arguments, database)

    def _run(self, program: str, *arguments: str) -> str:
        done = subprocess.run(
            [str(self.bin / program), *arguments],
            capture_output=True,
            text=True,
            cwd=self.folder,
            timeout=300,
            check=False,
            **self._as,  # type: ignore[call-overload]
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr.strip()}")
        return done.stdout

    def __enter__(self) -> "Server":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
