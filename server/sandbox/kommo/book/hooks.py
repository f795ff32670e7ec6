"""Webhooks: subscriptions, what fires them, batching, the retry table and disabling (§3)."""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from server.sandbox.delivery import TIMED_OUT, Delivery, Policy
from server.sandbox.kommo.book import v2
from server.sandbox.kommo.book.base import Book
from server.sandbox.kommo.book.records import Actor, Deal, Hook, StageHook

EVENT_CODES = frozenset(
    [f"responsible_{on}" for on in ("lead", "contact", "company", "customer", "task")]
    + [f"restore_{on}" for on in ("lead", "contact", "company")]
    + [f"add_{on}" for on in ("lead", "contact", "company", "customer", "talk", "task")]
    + [f"update_{on}" for on in ("lead", "contact", "company", "customer", "talk", "task")]
    + [f"delete_{on}" for on in ("lead", "contact", "company", "customer", "task")]
    + [f"note_{on}" for on in ("lead", "contact", "company", "customer")]
    + ["status_lead", "add_chat_template_review"]
    # Not in the documentation, which names the payloads only: our guess of their codes.
    + [f"{verb}_catalog" for verb in ("add", "update", "delete")]
    + ["add_unsorted", "update_unsorted", "delete_unsorted", "add_message"]
)

MAX_HOOKS = 100
#: More invalid answers than this within two hours, the latest one invalid: disabled.
INVALID_ANSWERS = 100
DISABLE_WITHIN = timedelta(hours=2)
SUSPEND_WITHIN = SUSPENDED_FOR = timedelta(minutes=5)

_DELAYS = (timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=15), timedelta(hours=1))
_DP_DELAYS = (
    timedelta(minutes=5),
    timedelta(minutes=10),
    timedelta(minutes=15),
    timedelta(minutes=30),
)


def taken(status: int) -> bool:
    return 100 <= status < 300


def _again(attempts: int, status: int) -> timedelta | None:
    """The table: tries 2 and 3 after any invalid answer, 4 and 5 only after 499 and 5xx."""
    if attempts > len(_DELAYS):
        return None
    if attempts > 2 and not (status == TIMED_OUT or 500 <= status < 600):
        return None
    return _DELAYS[attempts - 1]


def _dp_again(attempts: int, status: int) -> timedelta | None:
    return _DP_DELAYS[attempts - 1] if attempts <= len(_DP_DELAYS) else None


HOOK_POLICY = Policy(2.0, taken, _again)
DP_POLICY = Policy(2.0, taken, _dp_again)
DP_ONCE = Policy(2.0, taken, lambda attempts, status: None)

#: One change for one subscription: (root, action, row).
Change = tuple[str, str, dict[str, Any]]


class Hooks(Book):
    """Subscriptions of the account and what is sent to them."""

    _gathered: list[tuple[Hook, Change]] | None = None

    def subscribe(
        self, destination: str, settings: list[str], *, by: Actor | None = None, sort: int = 10
    ) -> Hook:
        """Upsert by destination: the settings are replaced, never merged."""
        by = by or self.owner()
        with self.lock:
            hook = self.hook_for(destination)
            if hook is None:
                hook = Hook(
                    self.new_id(), destination, [], self.now(), self.now(), by.user_id, sort
                )
                self.hooks[hook.id] = hook
            elif self.switches.post_enables_hook:
                hook.disabled = False
                hook.failures.clear()
            hook.settings = list(dict.fromkeys(settings))
            hook.updated_at = self.now()
            hook.sort = sort
            hook.client_id = by.client_id
            return hook

    def hook_for(self, destination: str) -> Hook | None:
        return next((hook for hook in self.hooks.values() if hook.destination == destination), None)

    def enable_hook(self, hook_id: int) -> None:
        """What an admin does by hand: Enable, then Save."""
        self.hooks[hook_id].disabled = False
        self.hooks[hook_id].failures.clear()

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Changes made inside travel together: one request a subscription, rows [0], [1], ..."""
        with self.lock:
            self._gathered = []
        try:
            yield
        finally:
            with self.lock:
                gathered, self._gathered = self._gathered, None
                by_hook: dict[int, list[Change]] = {}
                for hook, change in gathered or []:
                    by_hook.setdefault(hook.id, []).append(change)
                for hook_id, changes in by_hook.items():
                    self._send(self.hooks[hook_id], changes)

    def fire(self, code: str, change: Change, by: Actor) -> None:
        """Queue ``change`` for every subscription to ``code``."""
        if not self.switches.plan_has_webhooks:
            return
        for hook in self.hooks.values():
            own = hook.client_id == by.client_id and by.by_api
            if hook.disabled or code not in hook.settings:
                continue
            if own and not self.switches.own_writes_fire_hooks:
                continue
            if self._gathered is None:
                self._send(hook, [change])
            else:
                self._gathered.append((hook, change))

    def _send(self, hook: Hook, changes: list[Change]) -> None:
        tree: dict[str, Any] = {}
        for root, action, row in changes:
            tree.setdefault(root, {}).setdefault(action, []).append(row)
        account = {
            "subdomain": self.subdomain,
            "id": self.account_id,
            "_links": {"self": self.address()},
        }
        first = self.switches.account_block_first
        tree = {"account": account, **tree} if first else {**tree, "account": account}
        self.deliveries.queue(
            "kommo",
            hook.destination,
            v2.form(tree),
            _headers("application/x-www-form-urlencoded"),
            policy=HOOK_POLICY,
            label=" ".join(sorted({f"{root}[{action}]" for root, action, _ in changes})),
            on_answer=lambda delivery, status: self._answered(hook, status),
        )

    def address(self) -> str:
        """The account's own address; plain http, for it is on the loopback."""
        raise NotImplementedError  # ``Account`` knows its port; the book has none

    def _answered(self, hook: Hook, status: int) -> None:
        if taken(status):
            return
        with self.lock:
            now = self.clock.now().timestamp()
            since = now - DISABLE_WITHIN.total_seconds()
            hook.failures = [at for at in hook.failures if at > since] + [now]
            if len(hook.failures) > INVALID_ANSWERS:
                hook.disabled = True

    def add_dp_hook(
        self,
        pipeline_id: int,
        stage_id: int,
        url: str,
        *,
        widget_settings: dict[str, str] | None = None,
    ) -> StageHook:
        """Put "API: Send webhook" on a stage; with ``widget_settings`` a widget's own action."""
        hook = StageHook(pipeline_id, stage_id, url, widget_settings)
        self.stage_hooks.append(hook)
        return hook

    def fire_stage(self, deal: Deal, old: tuple[int, int] | None) -> None:
        """The deal entered a stage; ``old`` is (pipeline, stage), None for a new deal."""
        now = self.clock.now().timestamp()
        for hook in self.stage_hooks:
            here = (hook.pipeline_id, hook.stage_id) == (deal.pipeline_id, deal.status_id)
            if here and hook.suspended_until <= now:
                self._send_stage(hook, deal, old)

    def _send_stage(self, hook: StageHook, deal: Deal, old: tuple[int, int] | None) -> None:
        as_json = self.switches.dp_json
        if hook.widget_settings is not None:
            tree = self._widget_tree(hook.widget_settings, deal, is_new=old is None)
        else:
            tree = self._stage_tree(deal, old, as_json=as_json)
        kind = "application/json" if as_json else "application/x-www-form-urlencoded"
        self.deliveries.queue(
            "kommo",
            hook.url,
            json.dumps(tree).encode() if as_json else v2.form(tree),
            _headers(kind),
            policy=DP_POLICY if self.switches.dp_retries == "four" else DP_ONCE,
            label="digital pipeline",
            on_answer=lambda delivery, status: self._stage_answered(hook, delivery, status),
        )

    def _stage_tree(
        self, deal: Deal, old: tuple[int, int] | None, *, as_json: bool
    ) -> dict[str, Any]:
        row = v2.deleted_deal_row(deal)
        if old is not None:
            row |= {"old_status_id": old[1], "old_pipeline_id": old[0]}
        tree: dict[str, Any] = {"leads": {"add" if old is None else "status": [row]}}
        if not as_json:  # the documented JSON has no account block
            tree["account"] = {"id": self.account_id, "subdomain": self.subdomain}
        return tree

    def _widget_tree(self, settings: dict[str, str], deal: Deal, *, is_new: bool) -> dict[str, Any]:
        return {
            "event": {
                "type": 1 if is_new else 14,
                "type_code": "lead_added" if is_new else "lead_status_changed",
                "data": {
                    "id": deal.id,
                    "element_type": 2,
                    "status_id": deal.status_id,
                    "pipeline_id": deal.pipeline_id,
                    "direction_of_movement": "went_to_trigger",
                },
                "time": self.now(),
            },
            "action": {"settings": {"widget": {"settings": settings}}},
            "subdomain": self.subdomain,
            "account_id": self.account_id,
        }

    def _stage_answered(self, hook: StageHook, delivery: Delivery, status: int) -> None:
        if taken(status):
            return
        now = self.clock.now().timestamp()
        since = now - SUSPEND_WITHIN.total_seconds()
        hook.failures = [at for at in hook.failures if at > since] + [now]
        if len(hook.failures) > INVALID_ANSWERS:
            hook.suspended_until = now + SUSPENDED_FOR.total_seconds()


def _headers(content_type: str) -> dict[str, str]:
    """As captured in 2023 and 2025: no signature among them."""
    return {
        "User-Agent": "amoCRM-Webhooks/3.0",
        "Content-Type": content_type,
        "Accept-Encoding": "gzip",
        "X-Amocrm-Requestid": str(uuid.uuid4()),
    }
