"""``billhook serve`` without our own pace at the vendors, telling the CPU time of its process.

Nothing else differs; a setting for it would be one that no operator needs.
"""

import os
import sys
from time import process_time
from typing import Any

from flask import Flask, Response
from sqlalchemy import event

from server.app import create_app, log_quietly, wired
from server.commands.serving import SWITCH, Turning, _bring_up_to_date, _Server
from server.config import Config
from server.store.db import Database
from server.web.auth import Auth, needs


class Unpaced(_Server):
    def load(self) -> Flask:
        sys.setswitchinterval(SWITCH)
        app = create_app(self._config, limits={})
        choose_sync(wired(app).database)
        app.add_url_rule("/bench/cpu", view_func=_cpu)
        self.turning = Turning(app)
        self.turning.start()
        return app


def choose_sync(database: Database) -> None:
    """By BENCH_SYNCHRONOUS, for the figure that the decision on it needs."""
    if wanted := os.environ.get("BENCH_SYNCHRONOUS"):

        @event.listens_for(database.engine, "connect")
        def choose(connection: Any, _record: Any) -> None:
            connection.execute(f"PRAGMA synchronous={wanted}")


@needs(Auth.NOBODY)
def _cpu() -> Response:
    return Response(str(process_time()), mimetype="text/plain")


if __name__ == "__main__":
    log_quietly()
    config = Config.from_env(os.environ)
    _bring_up_to_date(config)
    Unpaced(config, f"127.0.0.1:{sys.argv[-1]}").run()
