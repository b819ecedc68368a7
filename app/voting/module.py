"""The JavaScript module by which a web page votes: its text, its hash and where it is served.

A page that the cooperative serves can be changed by the cooperative: whoever fears that compares
the hash with the one of their own copy, or votes by `meent vote` instead.
"""

import hashlib
from functools import cache
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Header
from fastapi.responses import Response

from governance.word_list import WORDS

router = APIRouter(tags=["voting"])

_SOURCE = Path(__file__).with_name("ballot.js")
_HOLDERS_NOTE = "// The word list of BIP-39, (c) 2013-2016 Pavol Rusnak, MIT License."


@cache
def module_text() -> str:
    """The whole module: the source, and behind it the words, which are written down once only."""
    words = " ".join(WORDS)
    return f'{_SOURCE.read_text()}\n{_HOLDERS_NOTE}\nexport const WORDS = "{words}".split(" ");\n'


@cache
def module_hash() -> str:
    """SHA-256 of what is served, in hex."""
    return hashlib.sha256(module_text().encode()).hexdigest()


@router.get(
    "/ballot.js",
    operation_id="get_ballot_module",
    summary="The module by which a web page makes a ballot",
    response_class=Response,
    responses={
        200: {"content": {"text/javascript": {}}, "description": "An ES module."},
        304: {"description": "You have this very text."},
    },
)
async def get_ballot_module(if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """Return the module; its `ETag` is its SHA-256, the one `meent vote module-hash` prints."""
    headers = {
        "ETag": f'"{module_hash()}"',
        # A voter's copy must not be an old one that a cache kept.
        "Cache-Control": "no-cache",
        "X-Content-Type-Options": "nosniff",
        # Another page, of a sister cooperative or of the voter's own, may use the module too.
        "Access-Control-Allow-Origin": "*",
    }
    if if_none_match is not None and module_hash() in if_none_match:
        return Response(status_code=304, headers=headers)
    return Response(module_text(), media_type="text/javascript", headers=headers)
