"""One Kommo account: its book of cards, its host, and the integrations installed in it."""

import hashlib
import hmac
import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import jwt

from server.sandbox.delivery import Policy
from server.sandbox.kommo.book.feed import Feed
from server.sandbox.kommo.book.records import User
from server.sandbox.serve import Served

if TYPE_CHECKING:
    from server.sandbox.kommo.world import KommoWorld

CODE_SENDER = {"User-Agent": "amoService-oAuth-Code-Sender/1.0"}
#: Three seconds, the answer does not matter, never repeated (§1.4).
CALLED_ONCE = Policy(3.0, lambda status: True, lambda attempts, status: None)
ONE_TIME_LIFE = timedelta(seconds=1800)


class Account(Feed):
    """Made by ``KommoWorld.add_account``; ``host`` is "127.0.0.1:PORT"."""

    def __init__(
        self, world: "KommoWorld", *, subdomain: str, account_id: int, name: str, currency: str,
        timezone: str,
    ) -> None:  # fmt: skip
        super().__init__(world.clock, world.deliveries, world.switches)
        self.world = world
        self.account_id = account_id
        self.subdomain = subdomain
        self.name = name
        self.currency = currency
        self.timezone = timezone
        self.created_at = self.now()
        self.paid_until: datetime | None = None
        self.installed: set[str] = set()
        self.widgets: dict[str, dict[str, Any]] = {}
        self.loss_reasons: dict[int, str] = {}
        self.served: Served | None = None
        self.past: list[Served] = []
        # Every account has its own range of ids.
        self._last_id = account_id % 100_000 * 100 + 1000
        self.add_user("Olivia Stone", is_admin=True)
        self.add_standard_fields()
        for reason in ("Too expensive", "Went elsewhere", "No need any more"):
            self.loss_reasons[self.new_id()] = reason

    @property
    def host(self) -> str:
        """Without scheme, as the callback's ``referer`` has it."""
        if self.served is None:
            raise RuntimeError("the sandbox is not started")
        return self.served.host

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def address(self) -> str:
        return self.url if self.served is not None else f"http://{self.subdomain}"

    @property
    def admin(self) -> User:
        return next(user for user in self.users.values() if user.is_admin)

    def rename(self, subdomain: str) -> str:
        """Move to another port; the old one knows the account no more. Returns the new host."""
        with self.lock:
            assert self.served is not None
            self.past.append(self.served)
            self.subdomain = subdomain
            self.world.move(self)
            return self.host

    def note_installed(self, client_id: str) -> None:
        self.installed.add(client_id)

    def make_code(self, client_id: str, user_id: int | None = None) -> str:
        """An authorization code, as consent hands it out."""
        user = self.admin.id if user_id is None else user_id
        return self.world.grants.make_code(client_id, self.account_id, user)

    def install_widget(self, client_id: str) -> None:
        """An admin installs the widget: Kommo's server calls the Redirect URI once (§1.4)."""
        integration = self.world.grants.integrations[client_id]
        self.widgets.setdefault(
            "billhook_widget",
            {
                "id": self.new_id(), "code": "billhook_widget", "version": "1.0.0", "rating": "0",
                "settings_template": [], "is_lead_source": False, "is_work_with_dp": True,
                "is_crm_template": False, "client_uuid": client_id, "pipeline_id": None,
                "settings": {}, "is_active_in_account": True,
            },
        )["is_active_in_account"] = True  # fmt: skip
        query = {
            "code": self.make_code(client_id),
            "referer": self.host,
            "from_widget": 1,
            "client_id": client_id,
            "platform": 2,
        }
        self._call(integration.redirect_uri, query, "widget install")

    def disable_integration(self, client_id: str) -> None:
        """All its tokens die; the disconnect hook is sent where the integration names one (§2)."""
        integration = self.world.grants.integrations[client_id]
        self.world.grants.revoke(client_id, self.account_id)
        self.installed.discard(client_id)
        if self.switches.disabling_removes_hooks:
            for hook in [one for one in self.hooks.values() if one.client_id == client_id]:
                del self.hooks[hook.id]
        if integration.revoked_url:
            query = {
                "account_id": self.account_id,
                "client_uuid": client_id,
                "signature": self.disconnect_signature(client_id),
            }
            self._call(integration.revoked_url, query, "disconnect")

    def disconnect_signature(self, client_id: str) -> str:
        """The same for ever: there is no time in what is signed."""
        secret = self.world.grants.integrations[client_id].client_secret
        message = f"{client_id}|{self.account_id}".encode()
        return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()

    def _call(self, url: str, query: dict[str, Any], label: str) -> None:
        joint = "&" if urlsplit(url).query else "?"
        self.deliveries.queue(
            "kommo",
            f"{url}{joint}{urlencode(query)}",
            headers=dict(CODE_SENDER),
            policy=CALLED_ONCE,
            label=label,
        )

    def issue_long_lived(self, client_id: str, life: timedelta = timedelta(days=365)) -> str:
        """A long-lived token of a private integration (§1.7)."""
        self.installed.add(client_id)
        return self.world.grants.long_lived(client_id, self.account_id, self.admin.id, life)

    def make_one_time_token(
        self, user_id: int | None = None, client_id: str = "", **claims: Any
    ) -> str:
        """What ``$authorizedAjax`` sends as X-Auth-Token (§7); ``claims`` replace or add some."""
        grants = self.world.grants
        integration = grants.integrations[client_id or next(iter(grants.integrations))]
        user = self.users.get(self.admin.id if user_id is None else user_id)
        target = urlsplit(integration.redirect_uri)
        now = self.now()
        body: dict[str, Any] = {
            "iss": self.url,
            "aud": f"{target.scheme}://{target.hostname}",
            "jti": str(uuid.uuid4()),
            "iat": now,
            "nbf": now,
            "exp": now + int(ONE_TIME_LIFE.total_seconds()),
            "account_id": self.account_id,
            "user_id": user.id if user else user_id,
            "subdomain": self.subdomain,
            "client_uuid": integration.client_id,
        }
        if self.switches.is_admin_claim:
            body["is_admin"] = bool(user and user.is_admin)
        body |= claims
        return jwt.encode(body, integration.client_secret, algorithm="HS256")
