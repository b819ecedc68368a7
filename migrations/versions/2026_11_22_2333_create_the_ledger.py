"""Create the ledger: accounts, journals, transfers, balances and holds.

Revision: create_the_ledger
Follows: create_the_assembly
"""

import sqlalchemy as sa
from alembic import op

revision = "create_the_ledger"
down_revision = "create_the_assembly"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currencies_are_iso_4217"),
        sa.CheckConstraint(
            "kind in ('rider', 'driver', 'commission_income')", name="account_kinds_are_known"
        ),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("id", "currency", name="accounts_have_one_currency"),
    )
    op.create_index(
        "one_account_of_a_kind_per_member",
        "account",
        ["member_id", "kind"],
        unique=True,
        postgresql_where=sa.text("member_id is not null"),
    )
    op.create_index(
        "one_house_account_of_a_kind",
        "account",
        ["kind"],
        unique=True,
        postgresql_where=sa.text("member_id is null"),
    )
    op.create_table(
        "journal",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("idem_scope", sa.Text(), nullable=False),
        sa.Column("idem_key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("policy_version_id", sa.Uuid(), nullable=True),
        sa.Column("reverses", sa.BigInteger(), nullable=True),
        sa.Column("effective_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint("kind in ('ride_fare', 'reversal')", name="journal_kinds_are_known"),
        sa.ForeignKeyConstraint(
            ["policy_version_id"],
            ["policy_version.id"],
        ),
        sa.ForeignKeyConstraint(
            ["reverses"],
            ["journal.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("idem_scope", "idem_key", name="a_journal_is_posted_once"),
        sa.UniqueConstraint("reverses", name="a_journal_is_reversed_once"),
    )
    op.create_index("journal_by_subject", "journal", ["subject_id"], unique=False)
    op.create_table(
        "transfer",
        sa.Column("journal_id", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("debit_id", sa.Uuid(), nullable=False),
        sa.Column("credit_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name="transfers_are_positive"),
        sa.CheckConstraint("debit_id <> credit_id", name="transfers_go_somewhere"),
        sa.ForeignKeyConstraint(
            ["credit_id", "currency"],
            ["account.id", "account.currency"],
            name="credits_keep_currency",
        ),
        sa.ForeignKeyConstraint(
            ["debit_id", "currency"],
            ["account.id", "account.currency"],
            name="debits_keep_currency",
        ),
        sa.ForeignKeyConstraint(
            ["journal_id"],
            ["journal.id"],
        ),
        sa.PrimaryKeyConstraint("journal_id", "line"),
    )
    op.create_index("transfer_by_credit", "transfer", ["credit_id", "journal_id"], unique=False)
    op.create_index("transfer_by_debit", "transfer", ["debit_id", "journal_id"], unique=False)
    op.create_table(
        "balance",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("posted_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("held_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lowest_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("held_minor >= 0", name="holds_are_not_negative"),
        sa.CheckConstraint(
            "posted_minor - held_minor >= lowest_minor", name="never_below_the_limit"
        ),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.PrimaryKeyConstraint("account_id"),
        postgresql_with={"fillfactor": "50"},
    )
    op.create_table(
        "hold",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name="holds_are_positive"),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("hold_by_account", "hold", ["account_id"], unique=False)
    op.create_table(
        "hold_end",
        sa.Column("hold_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("journal_id", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(outcome = 'posted') = (journal_id is not null)", name="posted_holds_have_a_journal"
        ),
        sa.CheckConstraint("outcome in ('posted', 'voided')", name="hold_outcomes_are_known"),
        sa.ForeignKeyConstraint(
            ["hold_id"],
            ["hold.id"],
        ),
        sa.ForeignKeyConstraint(
            ["journal_id"],
            ["journal.id"],
        ),
        sa.PrimaryKeyConstraint("hold_id"),
    )


def downgrade() -> None:
    op.drop_table("hold_end")
    op.drop_table("hold")
    op.drop_table("balance")
    op.drop_table("transfer")
    op.drop_table("journal")
    op.drop_table("account")
