"""The settings: read once from ``BILLHOOK_*``, strictly, into one frozen object.

Only ``app`` and ``cli`` read it. All that is wrong is said at once, each with the variable's name
and what to do; a value that may be a secret is never repeated. docs/settings.md describes each.
"""

import difflib
import os
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Self
from urllib.parse import SplitResult, urlsplit

PREFIX = "BILLHOOK_"
# Names of the tests' own; a server may meet them in a developer's shell.
_OTHERS = ("BILLHOOK_REQUIRE", "BILLHOOK_CASES")
_OTHERS_BEGIN = "BILLHOOK_TEST_"

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_SQLITE = "sqlite:///"
_POSTGRESQL = "postgresql+psycopg://"
_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_SUFFIX = re.compile(rf"(?:\.{_LABEL}){{2,}}")  # two labels at least: ".com" would allow the world
_LOCAL_HOST = re.compile(r"(?:127\.0\.0\.1|localhost):(\d{1,5})")
_KEY = re.compile(r"[A-Za-z0-9_-]{43}=")  # 32 bytes in URL-safe base64: what Fernet wants
_LONGEST_WAIT = 7 * 24 * 3600  # seconds; a longer retry delay is a slip of the unit
_MAKE_KEY = (
    'make one with: python3 -c "import base64, os; '
    'print(base64.urlsafe_b64encode(os.urandom(32)).decode())"'
)


class BadConfig(Exception):
    """What is wrong with the settings, all of it; ``problems`` are ready-made sentences."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(["The settings are not right:", *(f"  {p}" for p in problems)]))
        self.problems = tuple(problems)


class Engine(StrEnum):
    LOCAL = "local"  # APScheduler in this process
    PROCRASTINATE = "procrastinate"  # any number of processes on PostgreSQL


def _database_url(value: str) -> str:
    """SQLAlchemy's URL; PostgreSQL always with psycopg 3, which plain names do not promise."""
    scheme, slashes, rest = value.partition("://")
    if scheme in ("postgresql", "postgres", "postgresql+psycopg") and slashes and rest:
        return _POSTGRESQL + rest
    if value.startswith(_SQLITE) and value.removeprefix(_SQLITE).strip("/:") not in ("", "memory"):
        return value
    raise ValueError(
        "must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME (its value is not shown)"
    )


def _secret_keys(value: str) -> tuple[str, ...]:
    keys = tuple(filter(None, re.split(r"[,\s]+", value)))
    bad = [str(place) for place, key in enumerate(keys, 1) if not _KEY.fullmatch(key)]
    if bad or not keys:
        place = ", ".join(bad) or "1"
        raise ValueError(f"key {place} is not 32 bytes in URL-safe base64; {_MAKE_KEY}")
    return keys


def _parts(value: str) -> SplitResult:
    try:
        parts = urlsplit(value)
        _ = parts.port  # raises where it is no number
    except ValueError:
        raise ValueError("is not a URL; write it like https://billhook.example.com") from None
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError("is not a URL; write it like https://billhook.example.com")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("must have no user, password, ? or # in it; leave these out")
    return parts


def _url(value: str) -> str:
    """A base URL without its closing slash: https, or plain http on this machine."""
    parts = _parts(value)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise ValueError("must begin with https:// (http:// only for 127.0.0.1)")
    return value.rstrip("/")


def _public_url(value: str) -> str:
    if _parts(value).path.strip("/"):
        raise ValueError("must be scheme and host alone, without a path; Billhook serves at /")
    parts = _parts(_url(value))
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    port = f":{parts.port}" if parts.port not in (None, usual) else ""
    return f"{parts.scheme}://{parts.hostname}{port}"  # as browsers spell an origin


def _clock_url(value: str) -> str:
    if _parts(value).hostname not in LOOPBACK:
        raise ValueError("must be on 127.0.0.1: only a sandbox on this machine may set the time")
    return value


def _hosts(value: str) -> tuple[str, ...]:
    hosts = tuple(item.strip().lower() for item in value.split(",") if item.strip())
    for host in hosts:
        local = _LOCAL_HOST.fullmatch(host)
        if not _SUFFIX.fullmatch(host) and not (local and 0 < int(local[1]) < 65536):
            raise ValueError(f"{host!r} is neither a suffix like .kommo.com nor 127.0.0.1:PORT")
    return hosts


def _seconds(value: str) -> timedelta:
    if not re.fullmatch(r"\d{1,9}", value.strip()) or not 0 < int(value) <= _LONGEST_WAIT:
        raise ValueError(f"{value!r} is not a number of seconds from 1 to {_LONGEST_WAIT}")
    return timedelta(seconds=int(value))


def _delays(value: str) -> tuple[timedelta, ...]:
    return tuple(_seconds(item) for item in value.split(","))


def _engine(value: str) -> Engine:
    if value not in list(Engine):
        raise ValueError(f"{value!r} is not an engine; it is one of {', '.join(Engine)}")
    return Engine(value)


# How a field is read from its variable's text; a field that is not named here is text as it stands.
_PARSE: dict[str, Callable[[str], object]] = {
    "database_url": _database_url,
    "secret_keys": _secret_keys,
    "public_url": _public_url,
    "kommo_auth_url": _url,
    "kommo_hosts": _hosts,
    "freshbooks_auth_url": _url,
    "freshbooks_api_url": _url,
    "freshbooks_app_url": _url,
    "commercetools_hosts": _hosts,
    "retry_delays": _delays,
    "quiet_period": _seconds,
    "engine": _engine,
    "clock_url": _clock_url,
}


@dataclass(frozen=True)
class Config:
    """The settings of one process. A field is the variable's name without prefix, in lower case.

    Text that is not given is "". ``secret_keys`` is () only for a local start that has not made
    its own yet (``with_local_keys``).
    """

    database_url: str = field(default="sqlite:///var/billhook.db", repr=False)
    secret_keys: tuple[str, ...] = field(default=(), repr=False)
    public_url: str = ""
    kommo_client_id: str = ""
    kommo_client_secret: str = field(default="", repr=False)
    kommo_auth_url: str = "https://www.kommo.com/oauth"
    kommo_hosts: tuple[str, ...] = (".kommo.com", ".amocrm.com")
    freshbooks_client_id: str = ""
    freshbooks_client_secret: str = field(default="", repr=False)
    freshbooks_auth_url: str = "https://auth.freshbooks.com"
    freshbooks_api_url: str = "https://api.freshbooks.com"
    freshbooks_app_url: str = "https://my.freshbooks.com"
    commercetools_hosts: tuple[str, ...] = (".commercetools.com",)
    retry_delays: tuple[timedelta, ...] = (
        timedelta(minutes=1),
        timedelta(minutes=5),
        timedelta(minutes=30),
    )
    quiet_period: timedelta = timedelta(seconds=120)
    engine: Engine = Engine.LOCAL
    clock_url: str = ""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Reads ``BILLHOOK_*``; an empty value counts as not given. Raises BadConfig."""
        problems = list(_unknown(environ))
        given: dict[str, Any] = {}
        for setting in fields(cls):
            name = variable(setting.name)
            value = environ.get(name, "").strip()
            if not value:
                continue
            try:
                given[setting.name] = _PARSE.get(setting.name, str)(value)
            except ValueError as wrong:
                problems.append(f"{name} {wrong}")
        config = cls(**given)
        problems += config._contradictions(environ)
        if problems:
            raise BadConfig(problems)
        return config

    @property
    def sqlite_file(self) -> Path | None:
        """The database's file; None on PostgreSQL."""
        if not self.database_url.startswith(_SQLITE):
            return None
        return Path(self.database_url.removeprefix(_SQLITE).partition("?")[0])

    def require(self, *names: str) -> None:
        """Raises BadConfig naming every one of these fields that is not given."""
        missing = [variable(name) for name in names if not getattr(self, name)]
        if missing:
            raise BadConfig(
                [f"{name} is not set; docs/settings.md says what it is" for name in missing]
            )

    def with_local_keys(self) -> Self:
        """Itself when keys are given; else with the keys beside the SQLite file, made if absent."""
        if self.secret_keys or self.sqlite_file is None:
            return self
        return replace(
            self, secret_keys=ensure_secret_keys(self.sqlite_file.parent / "secret.keys")
        )

    def _contradictions(self, environ: Mapping[str, str]) -> Iterator[str]:
        if self.engine is Engine.PROCRASTINATE and self.sqlite_file:
            yield (
                "BILLHOOK_ENGINE procrastinate needs PostgreSQL; "
                "set BILLHOOK_DATABASE_URL to postgresql://... or BILLHOOK_ENGINE to local"
            )
        if not environ.get("BILLHOOK_SECRET_KEYS", "").strip() and self.sqlite_file is None:
            yield (
                "BILLHOOK_SECRET_KEYS is required with PostgreSQL, for every process must have "
                f"the same; {_MAKE_KEY}"
            )


def variable(name: str) -> str:
    """The environment variable of a field of Config."""
    return PREFIX + name.upper()


def ensure_secret_keys(path: Path) -> tuple[str, ...]:
    """The keys that the file holds, one a line; a first one is made, readable by us alone.

    Two processes that start at once get the same key: the file appears whole or not at all.
    Raises BadConfig when the file holds something else.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(urlsafe_b64encode(secrets.token_bytes(32)).decode() + "\n")
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass  # the other process was first; its key counts
        finally:
            fresh.unlink()
    try:
        return _secret_keys(path.read_text("ascii"))
    except ValueError as wrong:
        raise BadConfig([f"{path}: {wrong}"]) from None


def _unknown(environ: Mapping[str, str]) -> Iterator[str]:
    known = [variable(setting.name) for setting in fields(Config)]
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name in known or name in _OTHERS:
            continue
        if name.startswith(_OTHERS_BEGIN):
            continue
        nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.0)[0]
        yield f"{name} is not a setting; did you mean {nearest}? Rename or unset it"
