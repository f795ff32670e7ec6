"""``billhook serve`` without our own pace at the vendors, telling the CPU time of its process.

Nothing else differs; a setting for it would be one that no operator needs.
"""

import os
import sys
from time import process_time

from flask import Flask, Response
from sqlalchemy import event

from server.app import create_app, log_quietly, wired
from server.commands.serving import Turning, _bring_up_to_date, _Server
from server.config import Config
from server.web.auth import Auth, needs


class Unpaced(_Server):
    def load(self) -> Flask:
        app = create_app(self._config, limits={})
        _choose_sync(app)
        app.add_url_rule("/bench/cpu", view_func=_cpu)
        self.turning = Turning(app)
        self.turning.start()
        return app


def _choose_sync(app: Flask) -> None:
    wanted = os.environ.get("BENCH_SYNCHRONOUS", "")
    if not wanted:
        return

    @event.listens_for(wired(app).database.engine, "connect")
    def less(connection: object, _record: object) -> None:
        connection.execute(f"PRAGMA synchronous={wanted}")  # type: ignore[attr-defined]


@needs(Auth.NOBODY)
def _cpu() -> Response:
    return Response(str(process_time()), mimetype="text/plain")


if __name__ == "__main__":
    log_quietly()
    config = Config.from_env(os.environ)
    _bring_up_to_date(config)
    Unpaced(config, f"127.0.0.1:{sys.argv[-1]}").run()
