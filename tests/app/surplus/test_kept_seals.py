"""Who kept one seal, long ago, finds every chain that was forged since."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance import verify
from governance.verify import FaultKind, recount_period
from tests.app.surplus.packages import Package, closed_year, kinds
from tests.app.surplus.year import Town


def sign_anew(package: Package) -> None:
    """Give all blocks to a key of one's own, in a chain that begins nowhere."""
    thief = Ed25519PrivateKey.generate()
    before = package["seals"][0]["previous"] if package["seals"][0]["height"] == 1 else "11" * 32
    for seal, block in zip(package["seals"], package["blocks"], strict=True):
        seal["previous"], seal["key"] = before, thief.public_key().public_bytes_raw().hex()
        seal["root"] = verify._root([verify._leaf(journal) for journal in block]).hex()
        digest = verify._seal_hash(seal)
        seal |= {"hash": digest.hex(), "signature": thief.sign(b"meent-seal:1" + digest).hex()}
        before = seal["hash"]


@pytest.fixture
async def package(town: Town) -> Package:
    made, _ = await closed_year(town)
    assert len(made["seals"]) >= 4
    return made


def later_part(package: Package, *, first: int) -> Package:
    """The package, as if it began with a later block; what it adds up to is not looked at here."""
    return package | {"seals": package["seals"][first:], "blocks": package["blocks"][first:]}


async def test_a_chain_signed_anew_is_named_by_who_kept_a_seal_of_it(package: Package) -> None:
    kept, forged = copy.deepcopy(package["seals"][1]), copy.deepcopy(package)
    sign_anew(forged)

    chain = {FaultKind.BROKEN_CHAIN, FaultKind.FORGED_SEAL, FaultKind.CHANGED_BLOCK}
    assert not chain & kinds(forged)
    assert FaultKind.SWAPPED_SEAL in kinds(forged, heads=[kept])
    assert FaultKind.SWAPPED_SEAL not in kinds(package, heads=[kept])


@pytest.mark.parametrize("kept_from", [0, 1])
async def test_a_chain_signed_anew_is_named_by_seals_that_were_kept_before_it_begins(
    package: Package, kept_from: int
) -> None:
    """Seals from the kept one on lead to the file; what was fetched since may be forged as well."""
    kept = copy.deepcopy(package["seals"][kept_from:2])
    honest, forged = (later_part(copy.deepcopy(package), first=2) for _ in range(2))
    sign_anew(forged)

    assert FaultKind.BROKEN_CHAIN not in kinds(honest, heads=kept)
    assert FaultKind.BROKEN_CHAIN not in kinds(forged)
    assert FaultKind.BROKEN_CHAIN in kinds(forged, heads=kept)


async def test_a_seal_that_was_kept_after_the_file_ends_names_it_too(package: Package) -> None:
    kept = copy.deepcopy(package["seals"][-1])
    forged = copy.deepcopy(package)
    sign_anew(forged)
    early, forged_early = (
        one | {"seals": one["seals"][:-1], "blocks": one["blocks"][:-1]}
        for one in (package, forged)
    )

    assert FaultKind.BROKEN_CHAIN not in kinds(early, heads=[kept])
    assert FaultKind.BROKEN_CHAIN in kinds(forged_early, heads=[kept])


async def test_a_kept_seal_that_nothing_leads_from_is_not_passed_over_in_silence(
    package: Package, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(heads: list[Any]) -> list[str]:
        return recount_period(later_part(package, first=2), heads=heads).notes

    [note] = said([package["seals"][0]])
    assert note.startswith("1 of the seals you kept, such as 1, are not compared")
    assert said(package["seals"][:2]) == []

    (tmp_path / "package.json").write_text(json.dumps(later_part(package, first=2)))
    (tmp_path / "page.json").write_text(json.dumps({"items": package["seals"][:2]}))
    (tmp_path / "seal.json").write_text(json.dumps(package["seals"][0]))
    for kept, is_noted in (("seal.json", True), ("page.json", False)):
        verify.main([str(tmp_path / "package.json"), "--root", str(tmp_path / kept)])
        assert ("note: 1 of the seals" in capsys.readouterr().out) == is_noted
