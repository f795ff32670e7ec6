"""What a webhook must be compared with: Flask under the same gunicorn that inserts one row of the
same size through the same ``Database.write``, and does nothing else."""

import os
import sys

import sqlalchemy as sa
from flask import Flask, Response, request

from bench.server import choose_sync
from server.commands.serving import SWITCH, _Server
from server.config import Config
from server.store.db import connect

KEPT = sa.Table(
    "kept",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("body", sa.LargeBinary),
)


class Bare(_Server):
    def load(self) -> Flask:
        sys.setswitchinterval(SWITCH)
        app = Flask("bare")
        database = connect(app, self._config.database_url)
        choose_sync(database)
        with database.write() as session:
            KEPT.create(session.connection(), checkfirst=True)

        @app.post("/insert")
        def insert() -> Response:
            raw = request.get_data(cache=False)
            with database.write() as session:
                session.execute(sa.insert(KEPT), {"body": raw})
            return Response(status=204)

        @app.get("/readyz")
        def ready() -> str:
            return "ready"

        return app


if __name__ == "__main__":
    Bare(Config.from_env(os.environ), f"127.0.0.1:{sys.argv[-1]}").run()
