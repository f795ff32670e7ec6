"""The emulated Kommo: OAuth, API v4, webhooks and the actions that a user takes in its pages."""

from .switches import KommoSwitches
from .world import KommoWorld

__all__ = ["KommoSwitches", "KommoWorld"]
