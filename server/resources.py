"""Finds what is not code: templates, static files, the widget, its manifest, migrations.

In a checkout these stand at the top level; in the wheel they travel inside the package, under
``server/_data``. Nobody else needs to know which of the two runs.
"""

from pathlib import Path

_PACKAGE = Path(__file__).parent
# Where a name stands when it is part of the package in both cases.
_INSIDE = {"migrations": _PACKAGE / "store" / "migrations"}


class ResourceMissing(RuntimeError):
    """A part of the installation is not there: a broken wheel, or a checkout cut short."""


def resource(name: str) -> Path:
    """ "templates", "static", "widget", "manifest.json" or "migrations": its file or folder.

    Raises ResourceMissing with the places that were looked at.
    """
    places = [_INSIDE[name]] if name in _INSIDE else _places(name)
    for place in places:
        if place.exists():
            return place
    looked = " or ".join(str(place) for place in places)
    raise ResourceMissing(
        f"{name} is not part of this installation (looked at {looked}); install Billhook again"
    )


def _places(name: str) -> list[Path]:
    """The wheel comes first, so that an installed Billhook never takes a stranger's folder."""
    return [_PACKAGE / "_data" / name, _PACKAGE.parent / name]
