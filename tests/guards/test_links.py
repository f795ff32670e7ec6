"""The pages lead somewhere."""

import re

from tests.guards.source import tracked_files, where


def test_every_link_between_pages_leads_to_a_file() -> None:
    pages = [file for file in tracked_files() if file.suffix == ".md"]
    dead = [
        f"{where(page)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert dead == []


def test_every_decision_that_the_code_names_is_there() -> None:
    named = {
        number
        for file in tracked_files()
        if file.suffix == ".py"
        for number in re.findall(r"docs/decisions/(\d{4})", file.read_text("utf-8"))
    }
    there = {file.name[:4] for file in tracked_files() if file.parent.name == "decisions"}
    assert named - there == set()
