"""What a member's device keeps of its votes: one file, its owner's alone, written whole or not.

Whoever reads the file can vote as its owner and see how they voted; a passphrase closes it.
"""

import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from app.voting.errors import VotingError
from governance.vote_key import VoteKey

FORMAT = "meent-wallet:1"
SEALED_FORMAT = "meent-sealed-wallet:1"
# A third of a second and 128 MiB for each guess at the passphrase (RFC 7914; OWASP's least).
SCRYPT_N, SCRYPT_R, SCRYPT_P = 2**17, 8, 1
SALT_BYTES = 16
NONCE_BYTES = 12  # AES-GCM
KEY_BYTES = 32


@dataclass(slots=True)
class Session:
    """A signed-in device; the times are RFC 3339."""

    member_id: str
    access_token: str = field(repr=False)
    access_expires_at: str
    refresh_token: str = field(repr=False)


@dataclass(slots=True)
class KeptBallot:
    """A ballot that was made here, and the receipt once it arrived."""

    document: dict[str, Any] = field(repr=False)
    receipt: dict[str, Any] | None = None


@dataclass(slots=True)
class Vote:
    """One vote of this member: its terms, its key, its stamps, its ballots, the newest root seen.

    `entropy` makes the key, in hex; credentials stand in the issuers' order, None where the stamp
    is still missing.
    """

    manifest: dict[str, Any]
    house_no: int
    member: str
    entropy: str = field(repr=False)
    credentials: list[dict[str, str] | None] = field(repr=False)
    ballots: list[KeptBallot] = field(default_factory=list)
    root: dict[str, Any] | None = None

    @property
    def key(self) -> VoteKey:
        """The key that stands on the ballots instead of a name."""
        return VoteKey(bytes.fromhex(self.entropy))

    @property
    def is_stamped(self) -> bool:
        """Whether every issuer's stamp is here."""
        return all(credential is not None for credential in self.credentials)


@dataclass(slots=True)
class Wallet:
    """Everything a device keeps; votes by the id of the election. `member_key` is hex."""

    server: str | None = None
    session: Session | None = None
    member_key: str | None = field(default=None, repr=False)
    votes: dict[str, Vote] = field(default_factory=dict)

    @property
    def key(self) -> VoteKey:
        """The member's own key, which asks for stamps. Refused (VotingError): there is none yet."""
        if self.member_key is None:
            raise VotingError("There is no member key here yet. Make one: meent vote key")
        return VoteKey(bytes.fromhex(self.member_key))


def wallet_from(document: Mapping[str, Any]) -> Wallet:
    """The wallet a document holds. Refused (VotingError): anything that is not one."""
    try:
        fields = dict(document)
        if fields.pop("format") != FORMAT:
            raise VotingError(f"This is no wallet of the format {FORMAT}.")
        votes = {
            election: Vote(
                **{**vote, "ballots": [KeptBallot(**ballot) for ballot in vote["ballots"]]}
            )
            for election, vote in fields.pop("votes").items()
        }
        session = fields.pop("session")
        return Wallet(
            **fields, votes=votes, session=None if session is None else Session(**session)
        )
    except (AttributeError, KeyError, TypeError) as wrong:
        raise VotingError("This file is no wallet, or a newer program wrote it.") from wrong


class WalletFile:
    """A wallet on the disk; with a passphrase nobody reads it who does not know it."""

    def __init__(self, path: Path, *, passphrase: str | None = None) -> None:
        self.path = path
        self._passphrase = passphrase
        self._sealing: tuple[bytes, AESGCM] | None = None

    @property
    def is_sealed(self) -> bool:
        """Whether the file asks for a passphrase."""
        return self.path.exists() and _read(self.path).get("format") == SEALED_FORMAT

    def load(self) -> Wallet:
        """Return what was kept; where there is no file yet, an empty wallet.

        Refused (VotingError): a wrong passphrase or none, a passphrase where none was set, a file
        that is no wallet.
        """
        if not self.path.exists():
            return Wallet()
        document = _read(self.path)
        if document.get("format") == SEALED_FORMAT:
            document = self._unsealed(document)
        elif self._passphrase is not None:
            raise VotingError("This wallet has no passphrase. Set one: meent vote passphrase")
        return wallet_from(document)

    def keep(self, wallet: Wallet) -> None:
        """The wallet is on the disk, whole, readable by its owner alone. Blocks for some ms."""
        text = json.dumps({"format": FORMAT, **asdict(wallet)}).encode()
        if self._passphrase is not None:
            text = json.dumps(self._sealed(text)).encode()
        try:
            self._write(text)
        except OSError as wrong:
            raise VotingError(f"The wallet {self.path} cannot be written: {wrong}.") from wrong

    def set_passphrase(self, passphrase: str | None) -> None:
        """The next `keep` closes the wallet by this passphrase, or by none."""
        self._passphrase, self._sealing = passphrase, None

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else has this wallet meanwhile. Refused (VotingError): somebody has it now."""
        place = self.path.with_name(f".{self.path.name}.lock")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = os.open(place, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as wrong:
            raise VotingError(f"The wallet {self.path} cannot be opened: {wrong}.") from wrong
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise VotingError("Another `meent vote` uses this wallet now. Wait for it.") from None
        try:
            yield
        finally:
            os.close(lock)

    def _write(self, text: bytes) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}")
        try:
            opened = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(opened, "wb") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)
        finally:
            draft.unlink(missing_ok=True)
        # Only with its folder on the disk is the new name of the file there after a power cut.
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _sealed(self, text: bytes) -> dict[str, Any]:
        if self._sealing is None:
            self._sealing = self._cipher(secrets.token_bytes(SALT_BYTES))
        salt, cipher = self._sealing
        nonce = secrets.token_bytes(NONCE_BYTES)
        return {
            "format": SEALED_FORMAT,
            "salt": salt.hex(),
            "nonce": nonce.hex(),
            "sealed": cipher.encrypt(nonce, text, SEALED_FORMAT.encode()).hex(),
        }

    def _unsealed(self, document: Mapping[str, Any]) -> dict[str, Any]:
        if self._passphrase is None:
            raise VotingError("This wallet is closed by a passphrase.")
        try:
            salt, nonce, sealed = (
                bytes.fromhex(document[name]) for name in ("salt", "nonce", "sealed")
            )
        except (KeyError, TypeError, ValueError) as wrong:
            raise VotingError("This file is no wallet, or it was damaged.") from wrong
        self._sealing = self._cipher(salt)
        try:
            text = self._sealing[1].decrypt(nonce, sealed, SEALED_FORMAT.encode())
        except InvalidTag:
            raise VotingError("The passphrase does not open this wallet.") from None
        opened: dict[str, Any] = json.loads(text)
        return opened

    def _cipher(self, salt: bytes) -> tuple[bytes, AESGCM]:
        assert self._passphrase is not None
        kdf = Scrypt(salt=salt, length=KEY_BYTES, n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P)
        return salt, AESGCM(kdf.derive(self._passphrase.encode()))


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError) as wrong:
        raise VotingError(f"The wallet {path} cannot be read: {wrong}.") from wrong
    if not isinstance(document, dict):
        raise VotingError(f"{path} is no wallet.")
    return document
