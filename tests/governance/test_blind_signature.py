"""Promises of the blind signatures, with the four vectors of RFC 9474 appendix A."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from governance.blind_signature import blind, blind_sign, finalize, prepare, verify

PUBLISHED = json.loads(Path(__file__).with_name("rfc9474_vectors.json").read_text())


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65_537, 2_048)


def published_key() -> rsa.RSAPrivateKey:
    p, q, e = int(PUBLISHED["p"], 16), int(PUBLISHED["q"], 16), 65_537
    d = pow(e, -1, (p - 1) * (q - 1))
    return rsa.RSAPrivateNumbers(
        p=p,
        q=q,
        d=d,
        dmp1=rsa.rsa_crt_dmp1(d, p),
        dmq1=rsa.rsa_crt_dmq1(d, q),
        iqmp=rsa.rsa_crt_iqmp(p, q),
        public_numbers=rsa.RSAPublicNumbers(e, p * q),
    ).private_key()


@pytest.mark.parametrize("vector", PUBLISHED["vectors"], ids=lambda vector: vector["name"])
def test_every_step_gives_the_published_bytes(vector: dict[str, Any]) -> None:
    key = published_key()
    modulus = key.public_key().public_numbers().n
    salt, inverse = bytes.fromhex(vector["salt"]), int(vector["inv"], 16)
    prefix, message = bytes.fromhex(vector["msg_prefix"]), bytes.fromhex(PUBLISHED["msg"])
    prepared = prepare(message, prefix=prefix)
    request = blind(prepared, modulus=modulus, salt=salt, factor=pow(inverse, -1, modulus))
    assert request.blinded.hex() == vector["blinded_msg"]
    assert request.inverse == inverse
    answer = blind_sign(request.blinded, key=key)
    signature = finalize(
        prepared, blind_signature=answer, inverse=inverse, modulus=modulus, salt_bytes=len(salt)
    )
    assert signature.hex() == vector["sig"]
    assert verify(prepared, signature=signature, modulus=modulus, salt_bytes=len(salt))


def test_a_signature_is_for_one_message_and_one_key_alone(key: rsa.RSAPrivateKey) -> None:
    modulus = key.public_key().public_numbers().n
    prepared = prepare(b"a vote key")
    request = blind(prepared, modulus=modulus)
    answer = blind_sign(request.blinded, key=key)
    signature = finalize(prepared, blind_signature=answer, inverse=request.inverse, modulus=modulus)
    other = rsa.generate_private_key(65_537, 2_048).public_key().public_numbers().n
    assert verify(prepared, signature=signature, modulus=modulus)
    assert not verify(prepared + b".", signature=signature, modulus=modulus)
    assert not verify(prepared, signature=signature, modulus=other)
    assert not verify(prepared, signature=signature[:-1], modulus=modulus)


def test_the_signer_sees_neither_the_message_nor_the_same_number_twice(
    key: rsa.RSAPrivateKey,
) -> None:
    modulus = key.public_key().public_numbers().n
    prepared = prepare(b"a vote key")
    assert blind(prepared, modulus=modulus).blinded != blind(prepared, modulus=modulus).blinded
    assert prepare(b"a vote key") != prepared


def test_a_dishonest_answer_is_refused_by_the_device(key: rsa.RSAPrivateKey) -> None:
    modulus = key.public_key().public_numbers().n
    prepared = prepare(b"a vote key")
    request = blind(prepared, modulus=modulus)
    wrong = blind_sign(bytes(255) + b"\x02", key=key)
    with pytest.raises(ValueError, match="no signature of this message"):
        finalize(prepared, blind_signature=wrong, inverse=request.inverse, modulus=modulus)


def test_a_number_that_is_not_below_the_modulus_is_not_signed(key: rsa.RSAPrivateKey) -> None:
    with pytest.raises(ValueError, match="below the modulus"):
        blind_sign(b"\xff" * 256, key=key)
    with pytest.raises(ValueError, match="256 bytes"):
        blind_sign(b"\x01", key=key)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="2048 bits"):
        blind(prepare(b"a vote key"), modulus=(1 << 1_023) + 1)
