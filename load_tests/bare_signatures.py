"""What the signatures of a vote cost with nothing around them: the floor of an election."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA384

from governance.blind_signature import PUBLIC_EXPONENT, SALT_BYTES, blind_sign

ROUNDS = 300
_MESSAGE = b"as many bytes as a stamped message has, more or less: its length hardly matters"


@dataclass(frozen=True, slots=True, kw_only=True)
class BareSignatures:
    """CPU in microseconds of one signature or one check, in one thread.

    All by `cryptography`, save the blind signature: that library offers none, so its powers are
    Python's own.
    """

    rsa_sign_us: float
    blind_sign_us: float
    rsa_verify_us: float
    ed25519_sign_us: float
    ed25519_verify_us: float

    @property
    def stamp_us(self) -> float:
        """An issuer's work for one stamp: look at the member's signature, sign blindly once."""
        return self.ed25519_verify_us + self.blind_sign_us

    def ballot_us(self, *, issuers: int) -> float:
        """What anybody must check of one ballot: its own signature and each issuer's stamp."""
        return self.ed25519_verify_us + issuers * self.rsa_verify_us

    def cast_us(self, *, issuers: int) -> float:
        """The board's work for one ballot: check it, sign a receipt."""
        return self.ballot_us(issuers=issuers) + self.ed25519_sign_us


def measure_signatures(*, key_bits: int) -> BareSignatures:
    """Return what each costs here and now."""
    rsa = generate_private_key(PUBLIC_EXPONENT, key_bits)
    ed25519 = Ed25519PrivateKey.generate()
    scheme, digest = PSS(MGF1(SHA384()), SALT_BYTES), SHA384()
    stamped, signed = rsa.sign(_MESSAGE, scheme, digest), ed25519.sign(_MESSAGE)
    check_stamp = partial(rsa.public_key().verify, stamped, _MESSAGE, scheme, digest)
    return BareSignatures(
        rsa_sign_us=_cpu_us(lambda: rsa.sign(_MESSAGE, scheme, digest)),
        blind_sign_us=_cpu_us(lambda: blind_sign(stamped, key=rsa)),
        rsa_verify_us=_cpu_us(check_stamp),
        ed25519_sign_us=_cpu_us(lambda: ed25519.sign(_MESSAGE)),
        ed25519_verify_us=_cpu_us(lambda: ed25519.public_key().verify(signed, _MESSAGE)),
    )


def _cpu_us(work: Callable[[], object]) -> float:
    begun = time.process_time()
    for _ in range(ROUNDS):
        work()
    return (time.process_time() - begun) / ROUNDS * 1e6
