"""Kinds of text that a client may send."""

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from app.assembly.proposals.rules import (
    MAX_COMMENT_CHARACTERS,
    MAX_OPTION_CHARACTERS,
    MAX_TEXT_CHARACTERS,
)


def plain(text: str) -> str:
    """Only a line feed ends a line, so that a text has one hash; other control signs are none."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    if any(sign < " " and sign not in "\n\t" for sign in lines):
        raise ValueError("leave out control characters")
    return lines


Line = Annotated[
    str, StringConstraints(strip_whitespace=True, pattern=r"^[^\n\r]*$"), AfterValidator(plain)
]
Said = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_COMMENT_CHARACTERS),
    AfterValidator(plain),
]
Words = Annotated[str, Field(max_length=MAX_TEXT_CHARACTERS), AfterValidator(plain)]
Option = Annotated[Line, Field(min_length=1, max_length=MAX_OPTION_CHARACTERS)]
