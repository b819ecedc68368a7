"""Pay drivers out: bank accounts, batches that two people release, statuses.

Revision: pay_drivers_out
Follows: complete_the_ledger
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "pay_drivers_out"
down_revision = "complete_the_ledger"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
STATES = "'prepared', 'left_out', 'cancelled', 'released', 'settled', 'returned'"
STEPS = (
    "('prepared', 'left_out'), ('prepared', 'cancelled'), ('prepared', 'released'),"
    " ('released', 'settled'), ('released', 'returned'), ('settled', 'returned')"
)
BATCH_CHECKS = {
    "somebody_else_releases_a_batch": "released_by <> prepared_by",
    "a_person_releases_batches": "(released_by is null) = (released_at is null)"
    " and (execute_on is null) = (released_at is null)",
    "a_person_cancels_batches": "(cancelled_by is null) = (cancelled_at is null)"
    " and (reason is null) = (cancelled_at is null)",
    "a_batch_is_decided_once": "released_at is null or cancelled_at is null",
    "cancelled_batches_have_a_reason": "length(reason) between 1 and 500",
    "a_batch_pays_what_is_past": "until <= prepared_at",
}
PAYOUT_CHECKS = {
    "payout_states_are_known": f"state in ({STATES})",
    "reasons_to_leave_out_are_known": "left_out_because in ('account_changed', 'balance_fell')",
    "payouts_are_positive": "amount_minor > 0",
    "left_out_payouts_say_why": "(state = 'left_out') = (left_out_because is not null)",
    "released_payouts_have_a_journal": "(state in ('released', 'settled', 'returned'))"
    " = (release_journal_id is not null)",
    "settled_payouts_have_a_journal": "(state <> 'settled' or settle_journal_id is not null)"
    " and (settle_journal_id is null or state in ('settled', 'returned'))"
    " and (settle_journal_id is null) = (settled_at is null)",
    "returned_payouts_have_a_journal": "(state = 'returned') = (return_journal_id is not null)"
    " and (return_journal_id is null) = (returned_at is null)",
    "reason_codes_have_their_form": "reason_code ~ '^[A-Z0-9]{1,4}$'",
}
RIGHTS = {
    "bank_account": "insert, update (replaced_at)",
    "payout_batch": "insert, update (released_by, released_at, execute_on, cancelled_by,"
    " cancelled_at, reason)",
    "payout": "insert, update (state, left_out_because, release_journal_id, settle_journal_id,"
    " settled_at, return_journal_id, returned_at, reason_code)",
    "payout_file": "insert",
}

KEEP_PAYOUTS = f"""
create function keep_payouts() returns trigger language plpgsql set search_path = public as $$
begin
  if not jsonb_strip_nulls(to_jsonb(old) - 'state') <@ to_jsonb(new) then
    raise exception 'a payout keeps what was prepared and booked' using errcode = 'MN030';
  end if;
  if (old.state, new.state) not in ({STEPS}) then
    raise exception 'a payout never goes from % to %', old.state, new.state
      using errcode = 'MN031';
  end if;
  return new;
end $$
"""

# The app may not lock what it may not write; in the order in which every posting locks.
LOCK_BALANCES = """
create function lock_balances(accounts uuid[]) returns table (of_account uuid, free_minor bigint)
language sql security definer set search_path = public as $$
  select account_id, posted_minor - held_minor from balance
    where account_id = any(accounts) order by account_id for update
$$
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    _create_bank_account()
    _create_batch()
    _create_payout()
    _create_file()
    op.execute(KEEP_PAYOUTS)
    op.execute(LOCK_BALANCES)
    op.execute("revoke execute on function keep_payouts(), lock_balances(uuid[]) from public")
    op.execute("grant execute on function lock_balances(uuid[]) to meent_app")
    for table, rights in RIGHTS.items():
        op.execute(f"grant select, {rights} on {table} to meent_app")
        op.execute(
            f"create trigger {table}_is_never_emptied before truncate on {table}"
            " for each statement execute function refuse_change()"
        )
    for table in ("bank_account", "payout_batch"):
        op.execute(
            f"create trigger {table}_keeps_its_history before update on {table}"
            " for each row execute function keep_history()"
        )
    op.execute(
        "create trigger payout_keeps_its_history before update on payout"
        " for each row execute function keep_payouts()"
    )
    for table in ("bank_account", "payout_batch", "payout"):
        op.execute(
            f"create trigger {table}_is_never_deleted before delete on {table}"
            " for each row execute function refuse_change()"
        )
    op.execute(
        "create trigger payout_file_is_append_only before update or delete on payout_file"
        " for each row execute function refuse_change()"
    )


def downgrade() -> None:
    for table in ("payout_file", "payout", "payout_batch", "bank_account"):
        op.drop_table(table)
    op.execute("drop function lock_balances(uuid[])")
    op.execute("drop function keep_payouts()")


def _create_bank_account() -> None:
    op.create_table(
        "bank_account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("holder_name", sa.Text(), nullable=False),
        sa.Column("iban", sa.Text(), nullable=False),
        sa.Column("registered_at", MOMENT, nullable=False),
        sa.Column("payable_from", MOMENT, nullable=False),
        sa.Column("replaced_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "iban ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$'", name="ibans_have_their_form"
        ),
        sa.CheckConstraint(
            "length(holder_name) between 1 and 70", name="bank_accounts_have_a_holder"
        ),
        sa.CheckConstraint("payable_from >= registered_at", name="bank_accounts_are_held_forwards"),
        sa.CheckConstraint("replaced_at >= registered_at", name="bank_accounts_are_replaced_later"),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("id", "member_id", name="bank_accounts_are_one_members"),
    )
    op.create_index(
        "one_current_bank_account_per_member",
        "bank_account",
        ["member_id"],
        unique=True,
        postgresql_where=sa.text("replaced_at is null"),
    )
    op.create_index("bank_account_by_member", "bank_account", ["member_id", "id"])


def _create_batch() -> None:
    op.create_table(
        "payout_batch",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.Column("prepared_by", sa.Uuid(), nullable=False),
        sa.Column("prepared_at", MOMENT, nullable=False),
        sa.Column("passed_over", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("released_by", sa.Uuid(), nullable=True),
        sa.Column("released_at", MOMENT, nullable=True),
        sa.Column("execute_on", sa.Date(), nullable=True),
        sa.Column("cancelled_by", sa.Uuid(), nullable=True),
        sa.Column("cancelled_at", MOMENT, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        *(sa.CheckConstraint(rule, name=name) for name, rule in BATCH_CHECKS.items()),
        *(
            sa.ForeignKeyConstraint([column], ["member.id"])
            for column in ("prepared_by", "released_by", "cancelled_by")
        ),
        sa.PrimaryKeyConstraint("id"),
    )


def _create_payout() -> None:
    journals = {
        "release_journal_id": "a_journal_releases_one_payout",
        "settle_journal_id": "a_journal_settles_one_payout",
        "return_journal_id": "a_journal_returns_one_payout",
    }
    op.create_table(
        "payout",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("bank_account_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("left_out_because", sa.Text(), nullable=True),
        sa.Column("release_journal_id", sa.BigInteger(), nullable=True),
        sa.Column("settle_journal_id", sa.BigInteger(), nullable=True),
        sa.Column("settled_at", MOMENT, nullable=True),
        sa.Column("return_journal_id", sa.BigInteger(), nullable=True),
        sa.Column("returned_at", MOMENT, nullable=True),
        sa.Column("reason_code", sa.Text(), nullable=True),
        *(sa.CheckConstraint(rule, name=name) for name, rule in PAYOUT_CHECKS.items()),
        sa.ForeignKeyConstraint(["batch_id"], ["payout_batch.id"]),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"]),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.ForeignKeyConstraint(
            ["bank_account_id", "member_id"],
            ["bank_account.id", "bank_account.member_id"],
            name="payouts_go_to_the_drivers_own_account",
        ),
        *(sa.ForeignKeyConstraint([column], ["journal.id"]) for column in journals),
        *(sa.UniqueConstraint(column, name=name) for column, name in journals.items()),
        sa.UniqueConstraint("batch_id", "member_id", name="one_payout_per_driver_and_batch"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "one_open_payout_per_driver",
        "payout",
        ["member_id"],
        unique=True,
        postgresql_where=sa.text("state = 'prepared'"),
    )
    op.create_index("payout_by_member", "payout", ["member_id", "id"])
    op.create_index("payout_by_bank_account", "payout", ["bank_account_id"])


def _create_file() -> None:
    op.create_table(
        "payout_file",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("content_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("drawn_by", sa.Uuid(), nullable=False),
        sa.Column("drawn_at", MOMENT, nullable=False),
        sa.CheckConstraint("sha256(content) = content_sha256", name="files_match_their_hash"),
        sa.ForeignKeyConstraint(["batch_id"], ["payout_batch.id"]),
        sa.ForeignKeyConstraint(["drawn_by"], ["member.id"]),
        sa.PrimaryKeyConstraint("batch_id"),
    )
