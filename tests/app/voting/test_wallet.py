"""Promises of the wallet: whole or not at all, its owner's alone, closed where a passphrase is."""

import json
import os
import stat
from pathlib import Path

import pytest

from app.voting import wallet as wallets
from app.voting.errors import VotingError
from app.voting.wallet import KeptBallot, Session, Vote, Wallet, WalletFile
from governance.vote_key import new_vote_key

SECRET = new_vote_key().entropy.hex()


@pytest.fixture
def wallet() -> Wallet:
    vote = Vote(
        manifest={"format": "meent-manifest:1"},
        house_no=0,
        member="ab" * 32,
        entropy=SECRET,
        credentials=[{"prefix": "00", "signature": "01"}, None],
        ballots=[KeptBallot({"value": 1_300}, receipt={"leaf": "cd"})],
        root={"size": 1},
    )
    session = Session("019aab1c", "access-token", "2026-05-22T15:15:00Z", "refresh-token")
    return Wallet("http://meent.test", session, SECRET, {"commission-2027": vote})


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guessing is slow on purpose; a test need not wait for it."""
    monkeypatch.setattr(wallets, "SCRYPT_N", 2**8)


@pytest.mark.parametrize("passphrase", [None, "correct horse battery staple"])
def test_a_wallet_comes_back_as_it_was(
    tmp_path: Path, wallet: Wallet, passphrase: str | None
) -> None:
    path = tmp_path / "of a member" / "wallet.json"
    WalletFile(path, passphrase=passphrase).keep(wallet)
    assert WalletFile(path, passphrase=passphrase).load() == wallet
    assert WalletFile(path).is_sealed == (passphrase is not None)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [one.name for one in path.parent.iterdir()] == ["wallet.json"]


def test_there_is_an_empty_wallet_before_the_first(tmp_path: Path) -> None:
    file = WalletFile(tmp_path / "wallet.json")
    assert file.load() == Wallet()
    assert not file.is_sealed
    with pytest.raises(VotingError, match="no member key here yet"):
        _ = file.load().key


def test_a_closed_wallet_shows_nothing_and_opens_for_its_passphrase_alone(
    tmp_path: Path, wallet: Wallet
) -> None:
    path = tmp_path / "wallet.json"
    WalletFile(path, passphrase="correct").keep(wallet)
    text = path.read_text()
    assert not any(word in text for word in (SECRET, "commission-2027", "access-token", "1300"))
    with pytest.raises(VotingError, match="closed by a passphrase"):
        WalletFile(path).load()
    with pytest.raises(VotingError, match="does not open this wallet"):
        WalletFile(path, passphrase="wrong").load()
    sealed = json.loads(text)
    sealed["sealed"] = sealed["sealed"][:-2] + ("00" if sealed["sealed"][-2:] != "00" else "01")
    path.write_text(json.dumps(sealed))
    with pytest.raises(VotingError, match="does not open this wallet"):
        WalletFile(path, passphrase="correct").load()
    path.write_text(json.dumps(sealed | {"salt": "no hex"}))
    with pytest.raises(VotingError, match="was damaged"):
        WalletFile(path, passphrase="correct").load()


def test_a_passphrase_can_be_changed_and_taken_away(tmp_path: Path, wallet: Wallet) -> None:
    path = tmp_path / "wallet.json"
    file = WalletFile(path, passphrase="old")
    file.keep(wallet)
    first = json.loads(path.read_text())
    file.keep(wallet)
    again = json.loads(path.read_text())
    assert first["salt"] == again["salt"]
    assert first["nonce"] != again["nonce"]
    file.set_passphrase("new")
    file.keep(wallet)
    assert json.loads(path.read_text())["salt"] != first["salt"]
    assert WalletFile(path, passphrase="new").load() == wallet
    file.set_passphrase(None)
    file.keep(wallet)
    assert WalletFile(path).load() == wallet
    with pytest.raises(VotingError, match="has no passphrase"):
        WalletFile(path, passphrase="new").load()


def test_a_write_that_is_cut_short_leaves_the_wallet_from_before(
    tmp_path: Path, wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = WalletFile(tmp_path / "wallet.json")
    file.keep(Wallet(server="http://before.test"))

    def no_space(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(VotingError, match="cannot be written"):
        file.keep(wallet)
    monkeypatch.undo()
    assert file.load() == Wallet(server="http://before.test")
    assert [one.name for one in tmp_path.iterdir()] == ["wallet.json"]


def test_one_command_at_a_time_uses_a_wallet(tmp_path: Path) -> None:
    file, other = WalletFile(tmp_path / "wallet.json"), WalletFile(tmp_path / "wallet.json")
    with file.held(), pytest.raises(VotingError, match="uses this wallet now"), other.held():
        pass
    with other.held():
        pass


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"format": "meent-wallet:2"}', '{"format": "meent-wallet:1", "votes": 3}'],
)
def test_what_is_no_wallet_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "wallet.json").write_text(text)
    with pytest.raises(VotingError, match="wallet"):
        WalletFile(tmp_path / "wallet.json").load()


def test_keys_and_tokens_stay_out_of_what_is_printed_of_a_wallet(wallet: Wallet) -> None:
    shown = f"{wallet!r} {wallet.votes!r} {wallet.session!r} {wallet.key!r}"
    assert not any(word in shown for word in (SECRET, "access-token", "refresh-token", "1300"))
