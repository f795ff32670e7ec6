"""The settings: strict, all errors at once, secrets never shown."""

import base64
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from server.config import BadConfig, Config, Engine, ensure_secret_keys

KEY = base64.urlsafe_b64encode(b"k" * 32).decode()
OLD_KEY = base64.urlsafe_b64encode(b"o" * 32).decode()


def problems(**environ: str) -> tuple[str, ...]:
    with pytest.raises(BadConfig) as caught:
        Config.from_env(environ)
    return caught.value.problems


def problem(**environ: str) -> str:
    (only,) = problems(**environ)
    return only


def test_nothing_given_is_a_local_start() -> None:
    config = Config.from_env({"PATH": "/bin"})
    assert config == Config()
    assert config.database_url == "sqlite:///var/billhook.db"
    assert config.sqlite_file == Path("var/billhook.db")
    assert config.retry_delays == tuple(timedelta(seconds=s) for s in (60, 300, 1800))
    assert config.quiet_period == timedelta(seconds=120)
    assert config.engine is Engine.LOCAL


def test_every_setting_is_read() -> None:
    config = Config.from_env(
        {
            "BILLHOOK_DATABASE_URL": "postgresql://me:pw@db/billhook",
            "BILLHOOK_SECRET_KEYS": f"{KEY}, {OLD_KEY}",
            "BILLHOOK_PUBLIC_URL": "https://billhook.example.com/",
            "BILLHOOK_KOMMO_CLIENT_ID": "uuid",
            "BILLHOOK_KOMMO_CLIENT_SECRET": "hush",
            "BILLHOOK_KOMMO_AUTH_URL": "http://127.0.0.1:9001/oauth",
            "BILLHOOK_KOMMO_HOSTS": ".kommo.com, 127.0.0.1:9002,127.0.0.1:9003",
            "BILLHOOK_FRESHBOOKS_CLIENT_ID": "fb",
            "BILLHOOK_FRESHBOOKS_CLIENT_SECRET": "hush",
            "BILLHOOK_FRESHBOOKS_AUTH_URL": "https://auth.example.com",
            "BILLHOOK_FRESHBOOKS_API_URL": "https://api.example.com/",
            "BILLHOOK_FRESHBOOKS_APP_URL": "https://my.example.com",
            "BILLHOOK_COMMERCETOOLS_HOSTS": ".commercetools.com",
            "BILLHOOK_RETRY_DELAYS": "1,2",
            "BILLHOOK_QUIET_PERIOD": "30",
            "BILLHOOK_ENGINE": "procrastinate",
            "BILLHOOK_CLOCK_URL": "http://127.0.0.1:9000/_clock",
        }
    )
    assert config == Config(
        database_url="postgresql+psycopg://me:pw@db/billhook",
        secret_keys=(KEY, OLD_KEY),
        public_url="https://billhook.example.com",
        kommo_client_id="uuid",
        kommo_client_secret="hush",
        kommo_auth_url="http://127.0.0.1:9001/oauth",
        kommo_hosts=(".kommo.com", "127.0.0.1:9002", "127.0.0.1:9003"),
        freshbooks_client_id="fb",
        freshbooks_client_secret="hush",
        freshbooks_auth_url="https://auth.example.com",
        freshbooks_api_url="https://api.example.com",
        freshbooks_app_url="https://my.example.com",
        commercetools_hosts=(".commercetools.com",),
        retry_delays=(timedelta(seconds=1), timedelta(seconds=2)),
        quiet_period=timedelta(seconds=30),
        engine=Engine.PROCRASTINATE,
        clock_url="http://127.0.0.1:9000/_clock",
    )
    assert config.sqlite_file is None


def test_an_empty_value_counts_as_not_given() -> None:
    assert Config.from_env({"BILLHOOK_PUBLIC_URL": " ", "BILLHOOK_ENGINE": ""}) == Config()


def test_settings_do_not_change_while_running() -> None:
    with pytest.raises(FrozenInstanceError):
        Config().engine = Engine.PROCRASTINATE  # type: ignore[misc]


def test_all_that_is_wrong_is_said_at_once() -> None:
    said = problems(
        BILLHOOK_QUIET_PERIOD="2m", BILLHOOK_ENGINE="celery", BILLHOOK_PUBLC_URL="https://x.example"
    )
    assert said == (
        "BILLHOOK_PUBLC_URL is not a setting; did you mean BILLHOOK_PUBLIC_URL? Rename or unset it",
        "BILLHOOK_QUIET_PERIOD '2m' is not a number of seconds from 1 to 604800",
        "BILLHOOK_ENGINE 'celery' is not an engine; it is one of local, procrastinate",
    )
    assert all(line in str(BadConfig(list(said))) for line in said)


def test_the_tests_own_variables_are_no_settings_and_no_errors() -> None:
    theirs = {"BILLHOOK_REQUIRE": "x", "BILLHOOK_CASES": "x", "BILLHOOK_TEST_PG_URL": "x"}
    assert Config.from_env(theirs) == Config()


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("DATABASE_URL", "mysql://u:s3cret@h/n", "must be sqlite:///FILE or postgresql://"),
        ("DATABASE_URL", "sqlite:///:memory:", "must be sqlite:///FILE"),
        ("DATABASE_URL", "sqlite:///", "must be sqlite:///FILE"),
        ("DATABASE_URL", "postgresql:/s3cret", "must be sqlite:///FILE"),
        ("SECRET_KEYS", f"{KEY},s3cret", "key 2 is not 32 bytes"),
        ("SECRET_KEYS", ",", "key 1 is not 32 bytes"),
        ("PUBLIC_URL", "billhook.example.com", "is not a URL"),
        ("PUBLIC_URL", "http://billhook.example.com", "must begin with https://"),
        ("PUBLIC_URL", "https://x.example/billhook", "without a path"),
        ("PUBLIC_URL", "https://x.example:port", "is not a URL"),
        ("KOMMO_AUTH_URL", "https://u:s3cret@x.example", "must have no user"),
        ("FRESHBOOKS_API_URL", "ftp://x.example", "is not a URL"),
        ("FRESHBOOKS_AUTH_URL", "https://x.example?a=s3cret", "must have no user"),
        ("KOMMO_HOSTS", "kommo.com", "'kommo.com' is neither a suffix like .kommo.com"),
        ("KOMMO_HOSTS", ".com", "'.com' is neither a suffix"),
        ("KOMMO_HOSTS", "127.0.0.1:99999", "neither a suffix like .kommo.com nor 127.0.0.1:PORT"),
        ("COMMERCETOOLS_HOSTS", ".x.example/../y", "is neither a suffix"),
        ("RETRY_DELAYS", "60,,300", "'' is not a number of seconds"),
        ("RETRY_DELAYS", "60;300", "is not a number of seconds"),
        ("QUIET_PERIOD", "0", "is not a number of seconds from 1"),
        ("QUIET_PERIOD", "-5", "is not a number of seconds from 1"),
        ("CLOCK_URL", "https://clock.example.com", "must be on 127.0.0.1"),
        ("ENGINE", "procrastinate", "needs PostgreSQL"),
    ],
)
def test_a_wrong_value_is_named_with_what_to_do(name: str, value: str, sentence: str) -> None:
    said = problem(**{f"BILLHOOK_{name}": value})
    assert said.startswith(f"BILLHOOK_{name} ")
    assert sentence in said
    assert "s3cret" not in said


def test_postgresql_wants_given_keys() -> None:
    said = problem(BILLHOOK_DATABASE_URL="postgresql://me:s3cret@db/billhook")
    assert said.startswith("BILLHOOK_SECRET_KEYS is required with PostgreSQL")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_always_means_psycopg_3(scheme: str) -> None:
    config = Config.from_env(
        {"BILLHOOK_DATABASE_URL": f"{scheme}://h/n", "BILLHOOK_SECRET_KEYS": KEY}
    )
    assert config.database_url == "postgresql+psycopg://h/n"


def test_secrets_stay_out_of_its_repr() -> None:
    shown = repr(
        Config(
            database_url="postgresql+psycopg://me:s3cret@db/n",
            secret_keys=("s3cret",),
            kommo_client_secret="s3cret",
            freshbooks_client_secret="s3cret",
        )
    )
    assert "s3cret" not in shown
    assert "kommo_hosts" in shown


def test_what_a_server_needs_is_named_by_its_variables() -> None:
    with pytest.raises(BadConfig) as caught:
        Config(public_url="https://x.example").require("public_url", "kommo_client_id")
    assert caught.value.problems == (
        "BILLHOOK_KOMMO_CLIENT_ID is not set; docs/settings.md says what it is",
    )


def test_the_first_local_start_makes_a_key_that_only_we_may_read(tmp_path: Path) -> None:
    config = Config(database_url=f"sqlite:///{tmp_path}/var/billhook.db").with_local_keys()
    (key,) = config.secret_keys
    Fernet(key)
    file = tmp_path / "var/secret.keys"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert os.listdir(tmp_path / "var") == ["secret.keys"]


def test_a_later_start_finds_the_keys(tmp_path: Path) -> None:
    file = tmp_path / "secret.keys"
    first = ensure_secret_keys(file)
    assert ensure_secret_keys(file) == first
    file.write_text(f"{KEY}\n{first[0]}\n")
    assert ensure_secret_keys(file) == (KEY, *first)


def test_processes_that_start_together_get_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(ensure_secret_keys, [tmp_path / "secret.keys"] * 64))
    assert len(made) == 1


def test_a_spoilt_key_file_is_said_and_not_shown(tmp_path: Path) -> None:
    (tmp_path / "secret.keys").write_text("s3cret")
    with pytest.raises(BadConfig) as caught:
        ensure_secret_keys(tmp_path / "secret.keys")
    assert "is not 32 bytes" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_given_keys_win_over_local_ones(tmp_path: Path) -> None:
    config = Config(database_url=f"sqlite:///{tmp_path}/billhook.db", secret_keys=(KEY,))
    assert config.with_local_keys().secret_keys == (KEY,)
    assert os.listdir(tmp_path) == []
