"""Keys sort by the moment they were made, also those of one millisecond."""

import time

from app.foundation.ids import new_id


def test_each_key_sorts_behind_the_one_before() -> None:
    keys = [new_id() for _ in range(20_000)]
    assert keys == sorted(set(keys))


def test_a_key_says_its_version_and_its_millisecond() -> None:
    before = time.time_ns() // 1_000_000
    key = new_id()
    assert (key.version, key.variant) == (7, "specified in RFC 4122")
    assert before <= key.int >> 80 <= time.time_ns() // 1_000_000 + 1
