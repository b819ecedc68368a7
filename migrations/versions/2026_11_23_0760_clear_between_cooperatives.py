"""Clear rides between cooperatives: sisters, guest letters, visits, clearings, statements.

Revision: clear_between_cooperatives
Follows: stand_by_members
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "clear_between_cooperatives"
down_revision = "stand_by_members"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
PEER_CHECKS = {
    "peers_keys_are_ed25519": "octet_length(public_key) = 32",
    "peers_have_a_name": "length(name) between 1 and 80",
    "peers_live_at_an_address": "base_url ~ '^https?://[^/ ?#]+(/[^ ?#]+)*$'",
    "peers_may_owe_from_nothing_upwards": "they_may_owe_minor >= 0 and we_may_owe_minor >= 0",
    "somebody_else_confirms_a_peer": "confirmed_by <> proposed_by",
    "a_person_confirms_peers": "(confirmed_by is null) = (confirmed_at is null)"
    " and (account_id is null) = (confirmed_at is null)",
    "pausing_a_peer_has_a_reason": "(paused_by is null) = (paused_at is null)"
    " and (pause_reason is null) = (paused_at is null)"
    " and coalesce(length(pause_reason) between 1 and 500, true)",
}
LETTER_CHECKS = {
    "letters_are_spent_within_their_limit": "spent_minor between 0 and limit_minor",
    "letters_are_worth_something": "limit_minor > 0",
    "letters_end_after_they_were_given": "issued_at < expires_at and expires_at < claims_until",
}
VISIT_CHECKS = {
    "visits_claim_within_their_letter": "claimed_minor between 0 and limit_minor",
    "visits_end_after_they_began": "opened_at < expires_at and expires_at < claims_until",
}
CLEARING_CHECKS = {
    "clearing_directions_are_known": "direction in ('claimed', 'received')",
    "clearing_states_are_known": "state in ('pending', 'accepted', 'rejected')",
    "rejections_are_known": "reason in"
    " ('unknown_letter', 'wrong_currency', 'letter_spent', 'too_late', 'balance_too_low')",
    "rejected_clearings_say_why": "(state = 'rejected') = (reason is not null)",
    "clearings_move_or_close": "amount_minor <> 0 or closes",
    "received_clearings_are_answered": "direction = 'claimed' or state <> 'pending'",
    "answered_clearings_keep_the_answer": "(state = 'pending') = (answer is null)"
    " and (answer is null) = (answered_at is null)",
    "clearings_are_booked": "(journal_id is not null) = (amount_minor <> 0"
    " and (direction = 'claimed' or state = 'accepted'))",
    "rejected_claims_are_reversed": "(reversal_id is not null)"
    " = (direction = 'claimed' and state = 'rejected' and amount_minor <> 0)",
}
STATEMENT_CHECKS = {
    "statement_states_are_known": "state in ('offered', 'agreed', 'disagreed')",
    "statements_are_of_months": "extract(day from month) = 1",
    "agreed_statements_are_signed_by_both": "(state = 'agreed') = (their_signature is not null)"
    " and (state = 'agreed') = (agreed_at is not null)",
    "disagreements_are_named": "(state = 'disagreed') = (differences is not null)",
    "only_agreed_statements_are_settled": "settled_at is null or state = 'agreed'",
    "somebody_else_settles_a_statement": "settled_by <> drawn_by",
    "settled_statements_have_a_journal": "(settled_by is null) = (settled_at is null)"
    " and (journal_id is null) = (settled_at is null)"
    " and (document is null) = (settled_at is null)",
}
RIGHTS = {
    "peer": "insert, update (confirmed_by, confirmed_at, account_id, paused_by, paused_at,"
    " pause_reason)",
    "guest_letter": "insert, update (hold_id, spent_minor, closed_at)",
    "visit": "insert, update (hold_id, claimed_minor, closed_at, stalled_at)",
    "clearing": "insert, update (state, reason, reversal_id, answer, answered_at, tries,"
    " next_try_at)",
    "peer_statement": "insert, update (state, differences, their_signature, agreed_at,"
    " settled_by, settled_at, journal_id, document)",
}

# What was decided stays; what may change is named.
KEEP = {
    "peer": "'{paused_by,paused_at,pause_reason}'",
    "guest_letter": "'{hold_id,spent_minor}'",
    "visit": "'{hold_id,claimed_minor,stalled_at}'",
    "clearing": "'{state,tries,next_try_at}'",
    "peer_statement": "'{state}'",
}
KEEP_CLEARINGS = """
create function keep_clearings() returns trigger language plpgsql set search_path = public as $$
begin
  if not jsonb_strip_nulls(to_jsonb(old) - tg_argv[0]::text[]) <@ to_jsonb(new) then
    raise exception '% keeps what was agreed and booked', tg_table_name using errcode = 'MN060';
  end if;
  if tg_table_name in ('clearing', 'peer_statement')
      and to_jsonb(old)->>'state' not in ('pending', 'offered')
      and to_jsonb(old)->>'state' <> to_jsonb(new)->>'state' then
    raise exception '% was decided before', tg_table_name using errcode = 'MN061';
  end if;
  return new;
end $$
"""

# A sister cooperative vouches for so long and no longer, whatever asks for the ride.
KEEP_VISITS_IN_TIME = """
create function keep_visits_in_time() returns trigger language plpgsql
set search_path = public as $$
begin
  if exists (select from visit where member_id = new.rider_id
             and expires_at <= coalesce(new.pickup_until, new.requested_at)) then
    raise exception 'the letter of this visitor ends before the ride' using
      errcode = 'unique_violation', constraint = 'visitors_ride_while_their_letter_holds';
  end if;
  return new;
end $$
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    # A visitor is known by a letter of their own cooperative, and by no number.
    # No client of the API breaks: nobody but a visitor ever reads a null there.
    op.execute(
        "-- squawk-ignore ban-drop-not-null\nalter table member alter column phone drop not null"
    )
    _create_peer()
    _create_letter_and_visit()
    _create_clearing()
    _create_statement()
    op.execute(KEEP_CLEARINGS)
    op.execute(KEEP_VISITS_IN_TIME)
    op.execute("revoke execute on function keep_clearings(), keep_visits_in_time() from public")
    for table, rights in RIGHTS.items():
        op.execute(f"grant select, {rights} on {table} to meent_app")
        for name, when in (
            ("is_never_emptied", f"truncate on {table} for each statement"),
            ("is_never_deleted", f"delete on {table} for each row"),
        ):
            op.execute(
                f"create trigger {table}_{name} before {when} execute function refuse_change()"
            )
        op.execute(
            f"create trigger {table}_keeps_its_history before update on {table}"
            f" for each row execute function keep_clearings({KEEP[table]})"
        )
    op.execute(
        "create trigger visitors_ride_while_their_letter_holds before insert on ride"
        " for each row execute function keep_visits_in_time()"
    )


def downgrade() -> None:
    """Refused by the database while a visitor is a member without a number."""
    op.execute("drop trigger visitors_ride_while_their_letter_holds on ride")
    for table in ("peer_statement", "clearing", "visit", "guest_letter", "peer"):
        op.drop_table(table)
    op.execute("drop function keep_visits_in_time()")
    op.execute("drop function keep_clearings()")
    op.alter_column("member", "phone", nullable=False)


def _checks(rules: dict[str, str]) -> list[sa.CheckConstraint]:
    return [sa.CheckConstraint(rule, name=name) for name, rule in rules.items()]


def _keys(**targets: str) -> list[sa.ForeignKeyConstraint]:
    return [sa.ForeignKeyConstraint([column], [target]) for column, target in targets.items()]


def _create_peer() -> None:
    op.create_table(
        "peer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("base_url", sa.Text(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("they_may_owe_minor", sa.BigInteger(), nullable=False),
        sa.Column("we_may_owe_minor", sa.BigInteger(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", MOMENT, nullable=False),
        sa.Column("confirmed_by", sa.Uuid(), nullable=True),
        sa.Column("confirmed_at", MOMENT, nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("paused_by", sa.Uuid(), nullable=True),
        sa.Column("paused_at", MOMENT, nullable=True),
        sa.Column("pause_reason", sa.Text(), nullable=True),
        *_checks(PEER_CHECKS),
        *_keys(
            proposed_by="member.id",
            confirmed_by="member.id",
            paused_by="member.id",
            account_id="account.id",
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("public_key", name="one_peer_per_key"),
    )


def _create_letter_and_visit() -> None:
    op.create_table(
        "guest_letter",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("peer_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("limit_minor", sa.BigInteger(), nullable=False),
        sa.Column("issued_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("claims_until", MOMENT, nullable=False),
        sa.Column("hold_id", sa.Uuid(), nullable=True),
        sa.Column("spent_minor", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", MOMENT, nullable=True),
        *_checks(LETTER_CHECKS),
        *_keys(peer_id="peer.id", member_id="member.id", hold_id="hold.id"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("guest_letter_by_peer", "guest_letter", ["peer_id", "claims_until"])
    op.create_index("guest_letter_by_member", "guest_letter", ["member_id", "id"])
    op.create_table(
        "visit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("peer_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("limit_minor", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("claims_until", MOMENT, nullable=False),
        sa.Column("letter", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("hold_id", sa.Uuid(), nullable=True),
        sa.Column("claimed_minor", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.Column("stalled_at", MOMENT, nullable=True),
        *_checks(VISIT_CHECKS),
        *_keys(
            peer_id="peer.id",
            member_id="member.id",
            account_id="account.id",
            hold_id="hold.id",
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("member_id", name="one_visit_per_visitor"),
    )
    op.create_index("visit_by_peer", "visit", ["peer_id", "id"])


def _create_clearing() -> None:
    op.create_table(
        "clearing",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("peer_id", sa.Uuid(), nullable=False),
        sa.Column("letter_id", sa.Uuid(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("closes", sa.Boolean(), nullable=False),
        sa.Column("claimed_at", MOMENT, nullable=False),
        sa.Column("message", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("journal_id", sa.BigInteger(), nullable=True),
        sa.Column("reversal_id", sa.BigInteger(), nullable=True),
        sa.Column("set_aside_id", sa.Uuid(), nullable=True),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", MOMENT, nullable=False),
        *_checks(CLEARING_CHECKS),
        *_keys(
            peer_id="peer.id",
            journal_id="journal.id",
            reversal_id="journal.id",
            set_aside_id="hold.id",
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("journal_id", name="a_journal_books_one_clearing"),
    )
    op.create_index("clearing_by_peer", "clearing", ["peer_id", "claimed_at"])
    op.create_index(
        "one_pending_clearing_per_visit",
        "clearing",
        ["letter_id"],
        unique=True,
        postgresql_where=sa.text("state = 'pending'"),
    )


def _create_statement() -> None:
    op.create_table(
        "peer_statement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("peer_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("clearings", sa.Integer(), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("paper", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("own_signature", sa.Text(), nullable=False),
        sa.Column("their_signature", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("differences", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("drawn_by", sa.Uuid(), nullable=True),
        sa.Column("drawn_at", MOMENT, nullable=False),
        sa.Column("agreed_at", MOMENT, nullable=True),
        sa.Column("settled_by", sa.Uuid(), nullable=True),
        sa.Column("settled_at", MOMENT, nullable=True),
        sa.Column("document", sa.Text(), nullable=True),
        sa.Column("journal_id", sa.BigInteger(), nullable=True),
        *_checks(STATEMENT_CHECKS),
        *_keys(
            peer_id="peer.id",
            drawn_by="member.id",
            settled_by="member.id",
            journal_id="journal.id",
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "one_statement_per_peer_and_month",
        "peer_statement",
        ["peer_id", "month"],
        unique=True,
        postgresql_where=sa.text("state <> 'disagreed'"),
    )
