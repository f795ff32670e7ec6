"""Where the recorded cases are, and how many the folder holds.

They stand beside the checkout, never in it: ``BILLHOOK_CASES`` names the folder, else it is
``../shared/cases``. A test that reads them carries ``@pytest.mark.cases("label")``; parametrised
over the folder, each of its ids counts as one case of that label (tests/used.py adds them up).
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

ABSENT = "the recorded cases are absent (BILLHOOK_CASES names their folder)"


def cases_folder() -> Path | None:
    """The folder, or None where it is absent, as on a user's machine."""
    named = os.environ.get("BILLHOOK_CASES")
    folder = Path(named) if named else Path(__file__).parents[2] / "shared" / "cases"
    return folder if folder.is_dir() else None


def _exchanges(folder: Path) -> int:
    files = (folder / "freshbooks").glob("[A-Z]*.json")
    return sum(len(json.loads(file.read_text("utf-8"))) for file in files)


def _hooks(folder: Path) -> int:
    return len(json.loads((folder / "kommo/webhooks/webhooks.json").read_text("utf-8")))


def _samples(folder: Path) -> int:
    return len(list((folder / "kommo/api").glob("*.json")))


def _vectors(folder: Path) -> int:
    vectors = json.loads((folder / "kommo/auth-vectors.json").read_text("utf-8"))
    return len(vectors["one_time_tokens"]) + len(vectors["disconnect"])


# The label's total is what the folder holds, so that a case which no test reads shows as missing.
TOTALS: dict[str, Callable[[Path], int]] = {
    "kommo hooks": _hooks,
    "kommo api": _samples,
    "kommo auth": _vectors,
    "freshbooks": _exchanges,
}
