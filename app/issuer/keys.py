"""The private keys of each vote: made afresh, kept in files of their own, destroyed afterwards."""

import os
import secrets
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from app.issuer.folder import IssuerError, IssuerFolder, sync_folder, write_durably
from governance.blind_signature import PUBLIC_EXPONENT, modulus_text


@dataclass(frozen=True, slots=True)
class VoteKeys:
    """One vote's private keys: one for the stamps of each house, one for what the issuer says."""

    houses: tuple[RSAPrivateKey, ...] = field(repr=False)
    seal: Ed25519PrivateKey = field(repr=False)

    @property
    def moduli(self) -> tuple[str, ...]:
        """The public halves of the stamps, in the houses' order."""
        return tuple(modulus_text(key) for key in self.houses)

    @property
    def seal_key(self) -> str:
        """The public half of the seal, in hex."""
        return self.seal.public_key().public_bytes_raw().hex()


class KeyStore:
    """One folder of key files per vote; every method blocks, so none belongs in an event loop."""

    def __init__(self, folder: IssuerFolder, *, passphrase: str | None) -> None:
        self._path = folder.keys_path
        self._bits = folder.key_bits
        self._passphrase = passphrase.encode() if passphrase else None
        self._loaded: dict[str, VoteKeys] = {}

    def make(self, election: str, *, houses: int) -> VoteKeys:
        """Fresh keys, durable in their files before anybody hears of them.

        Files of keys that were made before and never entered in the book are thrown away: nobody
        has ever seen their public halves.
        """
        self._path.mkdir(mode=0o700, exist_ok=True)
        self.destroy(election)
        keys = VoteKeys(
            houses=tuple(generate_private_key(PUBLIC_EXPONENT, self._bits) for _ in range(houses)),
            seal=Ed25519PrivateKey.generate(),
        )
        place = self._path / election
        place.mkdir(mode=0o700)
        for name, key in _files(keys):
            pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, self._encryption())
            write_durably(place / name, pem)
        sync_folder(self._path)
        self._loaded[election] = keys
        return keys

    def load(self, election: str, *, houses: int) -> VoteKeys:
        """The vote's keys from their files.

        Raises:
            IssuerError: the passphrase is another one, or a file is missing.
        """
        if election not in self._loaded:
            place = self._path / election
            stamps = [self._read(place / f"house-{number}.pem") for number in range(houses)]
            seal = self._read(place / "seal.pem")
            assert isinstance(seal, Ed25519PrivateKey), "the seal is an Ed25519 key"
            of_houses = tuple(key for key in stamps if isinstance(key, RSAPrivateKey))
            assert len(of_houses) == houses, "a house's key is an RSA key"
            self._loaded[election] = VoteKeys(houses=of_houses, seal=seal)
        return self._loaded[election]

    def destroy(self, election: str) -> None:
        """The vote's keys are overwritten and gone.

        Overwriting reaches what a plain disk holds. A flash disk, a journal or a backup may keep
        what was there: a passphrase is what helps then.
        """
        self._loaded.pop(election, None)
        place = self._path / election
        if not place.exists():
            return
        for path in place.iterdir():
            with path.open("r+b") as stream:
                stream.write(secrets.token_bytes(path.stat().st_size))
                stream.flush()
                os.fsync(stream.fileno())
        shutil.rmtree(place)
        sync_folder(self._path)

    def _read(self, path: Path) -> object:
        try:
            pem = path.read_bytes()
        except OSError as error:
            raise IssuerError(f"the key {path} cannot be read: {error.strerror}") from None
        # The passphrase may have been set or dropped since: each file says whether it needs one.
        wanted = self._passphrase if b"ENCRYPTED" in pem.partition(b"\n")[0] else None
        try:
            return load_pem_private_key(pem, password=wanted)
        except (ValueError, TypeError):
            raise IssuerError(
                f"the key {path} does not open: give its passphrase in MEENT_ISSUER_PASSPHRASE"
            ) from None

    def _encryption(self) -> KeySerializationEncryption:
        if self._passphrase is None:
            return NoEncryption()
        return BestAvailableEncryption(self._passphrase)


def _files(keys: VoteKeys) -> Iterable[tuple[str, RSAPrivateKey | Ed25519PrivateKey]]:
    for number, key in enumerate(keys.houses):
        yield f"house-{number}.pem", key
    yield "seal.pem", keys.seal
