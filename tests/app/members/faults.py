"""What breaks each promise about erasures, and names those that have nothing to look at before."""

NOBODY_ERASED = {"two people erase", "who was erased is gone", "salts went by erasures"}
_ERASED = (
    "insert into erasure (id, member_id, asked_by, asked_at, confirmed_by, confirmed_at)"
    " select gen_random_uuid(), member_id, {asked_by}, now(), s.id, now()"
    " from (select id from member order by id desc limit 1) as s, account a"
    " where a.id = (select debit_id from transfer t join account x on x.id = t.debit_id"
    " where x.member_id is not null order by t.journal_id limit 1)"
)
_SEALED = (
    "insert into seal_leaf select journal_id, 1, row_number() over () - 1, sha256('l'),"
    " sha256('h') from (select distinct journal_id from transfer t join account a"
    " on a.id = t.debit_id where a.member_id is not null) as own"
)
ERASURE_FAULTS: dict[str, tuple[str, ...]] = {
    "two people erase": (
        "alter table erasure drop constraint somebody_else_confirms_an_erasure",
        _ERASED.format(asked_by="s.id"),
    ),
    "who was erased is gone": (
        (
            "insert into seal select 1, 1, 0, 1, 1, hash, hash, sha256('2'), hash, hash || hash,"
            " '2020-01-01Z' from sha256('1') as hash"
        ),
        _SEALED,
        "insert into journal_salt select journal_id, substr(leaf, 1, 16) from seal_leaf",
        _ERASED.format(asked_by="gen_random_uuid()"),
    ),
    "salts went by erasures": (_SEALED,),
}
