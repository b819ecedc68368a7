"""What breaks each promise of reciprocity, for tests of the audit."""

_ID = "'00000000-0000-0000-0000-00000000000{}'::uuid"
_FIRST = "id = (select min(id) from journal)"
PEER = (
    "insert into peer (id, name, base_url, public_key, currency, they_may_owe_minor,"
    " we_may_owe_minor, proposed_by, proposed_at, confirmed_by, confirmed_at, account_id)"
    f" select {_ID.format(1)}, 'Z', 'https://z', sha256('z'), 'CHF', 10, 10, {_ID.format(2)},"
    f" now(), {_ID.format(3)}, now(), account_id from balance where posted_minor <> 0 limit 1"
)
RECIPROCITY_FAULTS: dict[str, tuple[str, ...]] = {
    "sisters' accounts are their clearings": (PEER,),
    "sisters owe within their limits": (PEER,),
    "clearings are booked as claimed": (
        PEER,
        (
            "insert into clearing (id, peer_id, letter_id, direction, amount_minor, closes,"
            " claimed_at, message, state, journal_id, tries, next_try_at)"
            f" select {_ID.format(4)}, {_ID.format(1)}, {_ID.format(5)}, 'claimed', 7, false,"
            " now(), '{}', 'pending', min(id), 0, now() from journal"
        ),
    ),
    "no clearing is booked twice": (f"update journal set kind = 'peer_ride' where {_FIRST}",),
    "letters are spent as claimed": (
        (
            "insert into guest_letter (id, peer_id, member_id, limit_minor, issued_at, expires_at,"
            f" claims_until, spent_minor) values ({_ID.format(4)}, {_ID.format(1)},"
            f" {_ID.format(2)}, 9, now(), now() + interval '1 d', now() + interval '2 d', 5)"
        ),
    ),
    "two people register a sister": (
        "alter table peer drop constraint somebody_else_confirms_a_peer",
        PEER,
        "update peer set confirmed_by = proposed_by",
    ),
    "settlements are agreed": (f"update journal set kind = 'peer_settlement' where {_FIRST}",),
    "reciprocity keeps its guard": ("alter table peer disable trigger peer_is_never_deleted",),
}
# A city without a sister has nothing to look at here; tests of the room audit two that have one.
NOTHING_TO_LOOK_AT = set(RECIPROCITY_FAULTS) - {"reciprocity keeps its guard"}
