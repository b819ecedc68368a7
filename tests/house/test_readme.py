"""Promises of the README: what it names is there, and what is there it names."""

import re
from collections import Counter
from pathlib import Path

import pytest

from app.cli import app as commands

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """The text under a heading, up to the next one of its kind."""
    return README.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_the_map_names_every_room() -> None:
    rooms = {folder.parent.name for folder in (ROOT / "app").glob("*/__init__.py")}
    named = re.findall(r"^  (\w+)/ ", section("The map"), flags=re.MULTILINE)
    assert Counter(named) == Counter(rooms)


def test_every_command_is_told_to_operators() -> None:
    groups = {group.name for group in commands.registered_groups}
    alone = {
        (command.name or command.callback.__name__).replace("_", "-")
        for command in commands.registered_commands
        if command.callback is not None
    }
    told = re.findall(r"`(?:meent )?([a-z-]+)[^`]*`", section("For operators"))
    assert {str(name) for name in groups} | alone <= set(told)


def test_the_glossary_explains_each_word_once() -> None:
    rows = re.findall(r"^\| ([^|]+) \|", section("Glossary"), flags=re.MULTILINE)
    words = [word.strip() for row in rows if row != "word" for word in row.split(",")]
    assert len(words) > 100
    assert [word for word, times in Counter(words).items() if times > 1] == []


@pytest.mark.parametrize(
    "there",
    [
        link
        for link in re.findall(r'\]\(([^)#]+)|src="([^"]+)"', README)
        for link in link
        if link and not link.startswith("https://")
    ],
)
def test_each_link_and_picture_leads_somewhere(there: str) -> None:
    assert (ROOT / there).exists()
