"""Promises about private keys: fresh, for their owner alone, and gone after the vote."""

import stat
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from app.issuer import papers
from app.issuer.folder import IssuerError, make_folder, read_folder
from app.issuer.keys import KeyStore
from app.issuer.main import create_issuer
from tests.app.issuer.conftest import Vote
from tests.app.issuer.test_logs import logs_of
from tests.app.issuer.test_stamps import refusal
from tests.conftest import StandingClock
from tests.issuers import Cooperative, Person, ask_stamp, open_issuer, public_hex

ONE_HOUSE = {"houses": ["everybody"]}


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


async def test_nobody_but_the_owner_may_read_anything_of_an_issuer(
    vote: Vote, folders: tuple[Path, Path]
) -> None:
    files = files_of(folders[0])

    assert {path.name for path in files} >= {"issuer.json", "house-0.pem", "seal.pem", "lock"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE(folders[0].stat().st_mode) == 0o700


async def test_with_a_passphrase_no_key_lies_open_on_the_disk(
    cooperative: Cooperative, folders: tuple[Path, Path], clock: StandingClock
) -> None:
    async with open_issuer(folders[0], clock=clock, passphrase="long and secret") as issuer:
        first = await cooperative.order(issuer, papers.keys_path("one"), ONE_HOUSE)
    keys = sorted(folders[0].glob("keys/one/*.pem"))

    assert [path.name for path in keys] == ["house-0.pem", "seal.pem"]
    for path in keys:
        with pytest.raises(TypeError, match="encrypted"):
            load_pem_private_key(path.read_bytes(), password=None)
    async with open_issuer(folders[0], clock=clock, passphrase="long and secret") as issuer:
        again = await cooperative.order(issuer, papers.keys_path("one"), ONE_HOUSE)
    assert again.json() == first.json()


@pytest.mark.parametrize("passphrase", [None, "another one"])
async def test_without_the_right_passphrase_an_issuer_does_not_open(
    cooperative: Cooperative,
    folders: tuple[Path, Path],
    clock: StandingClock,
    passphrase: str | None,
) -> None:
    rolls = [[Person(1)]]
    async with (
        open_issuer(folders[0], clock=clock, passphrase="long and secret") as one,
        open_issuer(folders[1], clock=clock) as other,
    ):
        manifest = await cooperative.terms([one, other], rolls, opens_at=clock.now())
        assert (await cooperative.seal(one, manifest, rolls)).status_code == 200

    issuer = create_issuer(folders[0], clock=clock, passphrase=passphrase)
    with pytest.raises(IssuerError, match="MEENT_ISSUER_PASSPHRASE"):
        async with issuer.router.lifespan_context(issuer):
            pass


async def test_keys_from_before_a_passphrase_was_set_still_open(
    cooperative: Cooperative, folders: tuple[Path, Path], clock: StandingClock
) -> None:
    rolls = [[Person(1)]]
    async with (
        open_issuer(folders[0], clock=clock) as one,
        open_issuer(folders[1], clock=clock) as other,
    ):
        manifest = await cooperative.terms([one, other], rolls, opens_at=clock.now())
        await cooperative.seal(one, manifest, rolls)

    async with open_issuer(folders[0], clock=clock, passphrase="new") as issuer:
        _, body = rolls[0][0].ask(manifest, issuer_no=0)
        assert (await ask_stamp(issuer, manifest, body)).status_code == 200


async def test_after_a_vote_its_keys_are_gone_and_its_logs_are_the_same(
    vote: Vote, folders: tuple[Path, Path], clock: StandingClock, cooperative: Cooperative
) -> None:
    person = vote.members[0]
    _, body = person.ask(vote.manifest, issuer_no=0)
    await ask_stamp(vote.issuers[0], vote.manifest, body)
    desk = vote.issuers[0]._transport.app.state.desk
    before = await logs_of(vote)
    keys = folders[0] / "keys" / vote.manifest.election

    over = vote.manifest.published_by + timedelta(days=1) - clock.now()
    clock.pass_time(over.total_seconds() - 1)
    await desk.tidy()
    assert keys.exists()
    clock.pass_time(1)
    await desk.tidy()

    assert not keys.exists()
    assert await logs_of(vote) == before
    assert refusal(await ask_stamp(vote.issuers[0], vote.manifest, body)) == (409, "vote-closed")
    late = await cooperative.revoke(vote.issuers[0], vote.manifest, vote.members[1])
    assert refusal(late) == (409, "vote-closed")
    # The book still answers who was stamped, and to the same terms with the same seal.
    assert (await cooperative.seal(vote.issuers[0], vote.manifest, vote.rolls)).status_code == 200


async def test_an_issuer_that_slept_past_the_end_destroys_the_keys_when_it_wakes(
    cooperative: Cooperative, folders: tuple[Path, Path], clock: StandingClock
) -> None:
    rolls = [[Person(1)]]
    async with (
        open_issuer(folders[0], clock=clock) as one,
        open_issuer(folders[1], clock=clock) as other,
    ):
        manifest = await cooperative.terms([one, other], rolls, opens_at=clock.now())
        await cooperative.seal(one, manifest, rolls)
        _, body = rolls[0][0].ask(manifest, issuer_no=0)
        await ask_stamp(one, manifest, body)
    clock.pass_time(30 * 24 * 3600)

    async with open_issuer(folders[0], clock=clock) as again:
        assert list((folders[0] / "keys").iterdir()) == []
        (log,) = (await again.get(f"/v1/votes/{manifest.election}/log")).json()["logs"]
        assert log["members"] == [rolls[0][0].member]


def test_keys_of_3072_bits_are_made_where_they_are_wished(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "one", name="One", cooperative_key="ab" * 32, key_bits=3072)

    keys = KeyStore(folder, passphrase=None).make("vote", houses=1)

    assert int(keys.moduli[0], 16).bit_length() == 3072


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"name": " "}, "a name"),
        ({"name": "x" * 81}, "a name"),
        ({"cooperative_key": "AB" * 32}, "64 hexadecimal digits"),
        ({"key_bits": 1024}, "2048 or 3072"),
    ],
)
def test_an_issuer_is_not_made_of_wrong_values(
    tmp_path: Path, given: dict[str, object], words: str
) -> None:
    values = {"name": "One", "cooperative_key": "ab" * 32, "key_bits": 2048} | given
    with pytest.raises(IssuerError, match=words):
        make_folder(tmp_path / "one", **values)
    assert not (tmp_path / "one").exists()


def test_an_issuer_is_never_made_over(tmp_path: Path) -> None:
    key = public_hex(Ed25519PrivateKey.generate())
    made = make_folder(tmp_path / "one", name="One", cooperative_key=key)
    with pytest.raises(IssuerError, match="never made over"):
        make_folder(tmp_path / "one", name="Two", cooperative_key="ab" * 32)

    assert read_folder(tmp_path / "one") == made


async def test_one_folder_is_served_once(folders: tuple[Path, Path], clock: StandingClock) -> None:
    async with open_issuer(folders[0], clock=clock):
        second = create_issuer(folders[0], clock=clock)
        with pytest.raises(IssuerError, match="another program"):
            async with second.router.lifespan_context(second):
                pass
