"""The migrations are one line of history."""

from alembic.config import Config
from alembic.script import ScriptDirectory

from server.resources import resource


def test_there_is_one_head() -> None:
    config = Config()
    config.set_main_option("script_location", str(resource("migrations")))
    assert len(ScriptDirectory.from_config(config).get_heads()) == 1
