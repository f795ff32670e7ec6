"""The emulated FreshBooks: OAuth, the accounting API, callbacks, and its users' own acts.

Three hosts: the API, the consent page, and the pages that operators and clients open. What nobody
outside FreshBooks knows is a switch in ``switches``.
"""

from server.sandbox.freshbooks.acts import Business
from server.sandbox.freshbooks.switches import FreshbooksSwitches
from server.sandbox.freshbooks.world import FreshbooksWorld

__all__ = ["Business", "FreshbooksSwitches", "FreshbooksWorld"]
