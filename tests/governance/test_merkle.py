"""Promises of the Merkle tree, with the reference tree of Certificate Transparency."""

import hashlib

import pytest

from governance.merkle import (
    EMPTY_ROOT,
    consistency_proof,
    inclusion_proof,
    is_consistent,
    is_included,
    leaf_hash,
    root,
)

LEAVES = tuple(
    leaf_hash(bytes.fromhex(content))
    for content in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
)
# The roots of the first n leaves, from the tests of the Certificate Transparency programs.
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def many(count: int) -> tuple[bytes, ...]:
    return tuple(leaf_hash(bytes([number])) for number in range(count))


def test_roots_are_those_of_the_reference_tree() -> None:
    assert [root(LEAVES[:size]).hex() for size in range(1, 9)] == list(ROOTS)
    assert root(()) == EMPTY_ROOT == hashlib.sha256(b"").digest()


def test_every_leaf_of_every_small_tree_is_proved_and_no_other() -> None:
    for size in range(1, 34):
        leaves = many(size)
        top = root(leaves)
        for index in range(size):
            proof = inclusion_proof(leaves, index=index)
            shown = {"size": size, "proof": proof, "tree_root": top}
            assert is_included(leaves[index], index=index, **shown)
            assert not is_included(leaf_hash(b"another"), index=index, **shown)
            assert not is_included(leaves[index], index=(index + 1) % (size + 1), **shown)
            assert not is_included(leaves[index], index=index, **{**shown, "proof": (*proof, top)})


def test_every_small_tree_is_shown_to_begin_with_every_smaller_one() -> None:
    for size in range(1, 25):
        leaves = many(size)
        for old_size in range(1, size + 1):
            proof = consistency_proof(leaves, old_size=old_size)
            shown = {"old_size": old_size, "new_size": size, "proof": proof}
            assert is_consistent(root(leaves[:old_size]), new_root=root(leaves), **shown)
            changed = root([leaf_hash(b"changed"), *leaves[1:old_size]])
            assert not is_consistent(changed, new_root=root(leaves), **shown)
            rewritten = root([leaf_hash(b"changed"), *leaves[1:]])
            assert not is_consistent(root(leaves[:old_size]), new_root=rewritten, **shown)


def test_what_is_not_in_the_tree_has_no_proof() -> None:
    with pytest.raises(ValueError, match="index"):
        inclusion_proof(LEAVES, index=8)
    with pytest.raises(ValueError, match="old_size"):
        consistency_proof(LEAVES, old_size=9)
