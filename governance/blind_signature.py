"""Signs what it cannot see: RSA blind signatures after RFC 9474 (RSABSSA-SHA384-PSS-Randomized).

A finished signature is an ordinary RSA-PSS signature that `cryptography`, `openssl` and every
browser verify. Blinding hides the message unconditionally: even a broken RSA key tells nobody
later which request became which signature.

What this does not do: Python's integer power takes a time that depends on its operands. The
signer's base is therefore blinded and every signature is checked before it leaves (RFC 9474 §8.1),
but a signer who fears someone measuring on its own machine needs a hardware module. An outside
review has not happened.
"""

import hashlib
import math
import secrets
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

PUBLIC_EXPONENT = 65_537
PREFIX_BYTES = 32
SALT_BYTES = 48
HASH_BYTES = 48
MINIMUM_MODULUS_BITS = 2_048


@dataclass(frozen=True, slots=True)
class BlindedMessage:
    """What travels to the signer (`blinded`) and what never leaves the device (`inverse`)."""

    blinded: bytes
    inverse: int = field(repr=False)


def prepare(message: bytes, *, prefix: bytes | None = None) -> bytes:
    """The message behind 32 fresh random bytes (RFC 9474 §4.1, PrepareRandomize)."""
    return (secrets.token_bytes(PREFIX_BYTES) if prefix is None else prefix) + message


def blind(
    prepared: bytes, *, modulus: int, salt: bytes | None = None, factor: int | None = None
) -> BlindedMessage:
    """The encoded message times a random factor to the public exponent (RFC 9474 §4.2, Blind).

    `salt` and `factor` are drawn afresh; only test vectors give them. Refused (ValueError): a key
    under 2048 bits, a factor or a message that shares a divisor with the modulus.
    """
    size_bytes = _size_bytes(modulus)
    salt = secrets.token_bytes(SALT_BYTES) if salt is None else salt
    representative = int.from_bytes(_encode_pss(prepared, bits=modulus.bit_length() - 1, salt=salt))
    factor = secrets.randbelow(modulus - 1) + 1 if factor is None else factor
    if math.gcd(representative, modulus) != 1 or math.gcd(factor, modulus) != 1:
        raise ValueError("the message or the factor shares a divisor with the modulus")
    blinded = representative * pow(factor, PUBLIC_EXPONENT, modulus) % modulus
    return BlindedMessage(blinded=blinded.to_bytes(size_bytes), inverse=pow(factor, -1, modulus))


def blind_sign(blinded: bytes, *, key: rsa.RSAPrivateKey) -> bytes:
    """The signature of a message the signer never sees (RFC 9474 §4.3, BlindSign).

    Refused (ValueError): a message of another size than the key's, or not below its modulus.
    """
    numbers = key.private_numbers()
    modulus = numbers.public_numbers.n
    size_bytes = _size_bytes(modulus)
    representative = int.from_bytes(blinded)
    if len(blinded) != size_bytes or representative >= modulus:
        raise ValueError(f"a blinded message is a number of {size_bytes} bytes below the modulus")
    # A random base breaks the tie between the sender's number and the time the power takes.
    mask = secrets.randbelow(modulus - 1) + 1
    masked = representative * pow(mask, PUBLIC_EXPONENT, modulus) % modulus
    by_p = pow(masked, numbers.dmp1, numbers.p)
    by_q = pow(masked, numbers.dmq1, numbers.q)
    signed = by_q + numbers.q * ((by_p - by_q) * numbers.iqmp % numbers.p)
    signature = signed * pow(mask, -1, modulus) % modulus
    # A miscalculated half would hand out a factor of the modulus (Boneh, DeMillo, Lipton 1997).
    assert pow(signature, PUBLIC_EXPONENT, modulus) == representative, "signing failed"
    return signature.to_bytes(size_bytes)


def finalize(
    prepared: bytes,
    *,
    blind_signature: bytes,
    inverse: int,
    modulus: int,
    salt_bytes: int = SALT_BYTES,
) -> bytes:
    """The signature of the prepared message, unblinded and verified (RFC 9474 §4.4, Finalize).

    Refused (ValueError): an answer that is no signature of this message under this key.
    """
    size_bytes = _size_bytes(modulus)
    if len(blind_signature) != size_bytes:
        raise ValueError(f"a blind signature has {size_bytes} bytes, got {len(blind_signature)}")
    signature = (int.from_bytes(blind_signature) * inverse % modulus).to_bytes(size_bytes)
    if not verify(prepared, signature=signature, modulus=modulus, salt_bytes=salt_bytes):
        raise ValueError("the signer's answer is no signature of this message under this key")
    return signature


def verify(
    prepared: bytes, *, signature: bytes, modulus: int, salt_bytes: int = SALT_BYTES
) -> bool:
    """Whether the signature is an RSA-PSS signature of the message (RFC 8017 §8.1.2)."""
    scheme = padding.PSS(padding.MGF1(hashes.SHA384()), salt_bytes)
    try:
        _public_key(modulus).verify(signature, prepared, scheme, hashes.SHA384())
    except InvalidSignature:
        return False
    return True


def modulus_text(key: rsa.RSAPrivateKey) -> str:
    """The key's public half as a manifest writes it: the modulus in hex.

    Refused (ValueError): a public exponent other than 65537.
    """
    numbers = key.public_key().public_numbers()
    if numbers.e != PUBLIC_EXPONENT:
        raise ValueError(f"the public exponent is {PUBLIC_EXPONENT}, got {numbers.e}")
    return f"{numbers.n:x}"


@lru_cache(maxsize=64)
def _public_key(modulus: int) -> rsa.RSAPublicKey:
    return rsa.RSAPublicNumbers(PUBLIC_EXPONENT, modulus).public_key()


def _size_bytes(modulus: int) -> int:
    if modulus.bit_length() < MINIMUM_MODULUS_BITS:
        raise ValueError(f"a modulus has at least {MINIMUM_MODULUS_BITS} bits")
    return (modulus.bit_length() + 7) // 8


def _mask(seed: bytes, *, size_bytes: int) -> bytes:
    """MGF1 with SHA-384 (RFC 8017 appendix B.2.1)."""
    blocks = range(-(-size_bytes // HASH_BYTES))
    stream = b"".join(hashlib.sha384(seed + block.to_bytes(4)).digest() for block in blocks)
    return stream[:size_bytes]


def _encode_pss(message: bytes, *, bits: int, salt: bytes) -> bytes:
    """EMSA-PSS-ENCODE with SHA-384 (RFC 8017 §9.1.1)."""
    size_bytes = (bits + 7) // 8
    digest = hashlib.sha384(bytes(8) + hashlib.sha384(message).digest() + salt).digest()
    block = bytes(size_bytes - len(salt) - HASH_BYTES - 2) + b"\x01" + salt
    mask = _mask(digest, size_bytes=len(block))
    masked = bytearray(left ^ right for left, right in zip(block, mask, strict=True))
    masked[0] &= 0xFF >> (8 * size_bytes - bits)
    return bytes(masked) + digest + b"\xbc"
