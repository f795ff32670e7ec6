"""Users of the account and what they may do."""

from typing import Any

from server.sandbox.kommo.book.base import Book
from server.sandbox.kommo.book.records import Deal, User

LETTERS = ("view", "edit", "add", "delete", "export")


class People(Book):
    """Users and rights."""

    def add_user(
        self,
        name: str,
        email: str = "",
        *,
        is_admin: bool = False,
        is_free: bool = False,
        is_active: bool = True,
        leads: str = "A",
    ) -> User:
        """``leads`` is the letter for viewing and editing deals: A all, M own only, D none."""
        with self.lock:
            user = User(
                self.new_id(),
                name,
                email or f"{name.split()[0].lower()}@{self.subdomain or 'demo'}.example",
                is_admin=is_admin,
                is_free=is_free,
                is_active=is_active,
                rights=default_rights("A" if is_admin else leads),
            )
            self.users[user.id] = user
            return user

    def may(self, user_id: int, action: str, deal: Deal) -> bool:
        """Whether the user may view, edit, ... this deal; G (group) counts as all here."""
        user = self.users.get(user_id)
        if user is None or not user.is_active:
            return False
        if user.is_admin:
            return True
        letter = user.rights["leads"].get(action, "D")
        return letter in ("A", "G") or (letter == "M" and deal.responsible_user_id == user_id)


def default_rights(letter: str) -> dict[str, Any]:
    cards = {
        entity: {action: letter if action != "export" else "D" for action in LETTERS}
        for entity in ("leads", "contacts", "companies")
    }
    return {**cards, "tasks": {"edit": "A", "delete": "A"}}
