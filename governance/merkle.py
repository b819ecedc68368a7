"""One hash for a whole box of ballots, and short proofs of what is in it (RFC 6962 §2.1)."""

import hashlib
from collections.abc import Sequence

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(content: bytes) -> bytes:
    """The hash of one leaf; a leading zero keeps leaves apart from nodes."""
    return hashlib.sha256(b"\x00" + content).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes in their order; of none, the hash of nothing."""
    if not leaves:
        return EMPTY_ROOT
    level = list(leaves)
    while len(level) > 1:
        # Pairing upwards and carrying an odd last node gives RFC 6962's tree, without recursion.
        paired = [_node(left, right) for left, right in zip(level[::2], level[1::2], strict=False)]
        level = paired + level[len(paired) * 2 :]
    return level[0]


def inclusion_proof(leaves: Sequence[bytes], *, index: int) -> tuple[bytes, ...]:
    """The hashes that lead from leaf `index` to the root, lowest first (§2.1.1).

    Refused (ValueError): an index that is not in the box.
    """
    if not 0 <= index < len(leaves):
        raise ValueError(f"index must be from 0 to {len(leaves) - 1}, got {index}")
    if len(leaves) == 1:
        return ()
    split = _split(len(leaves))
    if index < split:
        return (*inclusion_proof(leaves[:split], index=index), root(leaves[split:]))
    return (*inclusion_proof(leaves[split:], index=index - split), root(leaves[:split]))


def is_included(
    leaf: bytes, *, index: int, size: int, proof: Sequence[bytes], tree_root: bytes
) -> bool:
    """Whether the proof shows the leaf at `index` in the tree of `size` leaves (RFC 9162 §2.1.3.2).

    An index outside the tree or a proof of another length shows nothing: False.
    """
    if not 0 <= index < size:
        return False
    node, place, last = leaf, index, size - 1
    for sibling in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            node = _node(sibling, node)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            node = _node(node, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and node == tree_root


def consistency_proof(leaves: Sequence[bytes], *, old_size: int) -> tuple[bytes, ...]:
    """The hashes that show the tree of `old_size` leaves to be this tree's beginning (§2.1.2).

    Refused (ValueError): an old size below 1 or beyond the tree.
    """
    if not 1 <= old_size <= len(leaves):
        raise ValueError(f"old_size must be from 1 to {len(leaves)}, got {old_size}")
    return _subproof(leaves, old_size=old_size, is_old_root=True)


def is_consistent(
    old_root: bytes, *, old_size: int, new_root: bytes, new_size: int, proof: Sequence[bytes]
) -> bool:
    """Whether the proof shows that leaves were only appended (RFC 9162 §2.1.4.2)."""
    if not 1 <= old_size <= new_size:
        return False
    if old_size == new_size:
        return not proof and old_root == new_root
    # The root of a full subtree is not part of the proof: the checker already has it.
    nodes = [old_root, *proof] if old_size & (old_size - 1) == 0 else list(proof)
    if not nodes:
        return False
    place, last = old_size - 1, new_size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old_node = new_node = nodes[0]
    for sibling in nodes[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old_node, new_node = _node(sibling, old_node), _node(sibling, new_node)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new_node = _node(new_node, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and old_node == old_root and new_node == new_root


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def _subproof(leaves: Sequence[bytes], *, old_size: int, is_old_root: bool) -> tuple[bytes, ...]:
    if old_size == len(leaves):
        return () if is_old_root else (root(leaves),)
    split = _split(len(leaves))
    if old_size <= split:
        below = _subproof(leaves[:split], old_size=old_size, is_old_root=is_old_root)
        return (*below, root(leaves[split:]))
    below = _subproof(leaves[split:], old_size=old_size - split, is_old_root=False)
    return (*below, root(leaves[:split]))
