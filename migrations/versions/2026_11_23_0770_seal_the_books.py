"""Seal the books: blocks of journals under signed roots, salts, and secrets that make codes.

Revision: seal_the_books
Follows: clear_between_cooperatives
"""

import sqlalchemy as sa
from alembic import op

revision = "seal_the_books"
down_revision = "clear_between_cooperatives"
branch_labels = None
depends_on = None

KEPT = ("seal_epoch", "seal", "seal_leaf", "line_code")
ERASED = ("journal_salt", "account_secret")
APP_APPENDS = ("seal", "seal_leaf", "line_code", *ERASED)

# Journals are counted by the transaction that wrote them, and only below the oldest that is still
# open is every one final. Numbers of transactions are of one server: on another one (a dump was
# restored) all that is there gets sealed first, and what comes after is counted anew.
BEGIN_SEAL_EPOCH = """
create function begin_seal_epoch(at timestamptz) returns void
language plpgsql security definer set search_path = public set lock_timeout = '200ms' as $$
declare
  here text := (select system_identifier::text from pg_control_system());
begin
  -- Waits for everybody who is posting: whatever comes later has a larger number.
  lock table journal in share row exclusive mode;
  if here is not distinct from (select server from seal_epoch order by epoch desc limit 1) then
    return;
  end if;
  insert into seal_epoch (epoch, server, through_journal, begun_at)
    values ((select coalesce(max(epoch), 0) + 1 from seal_epoch), here,
            (select coalesce(max(id), 0) from journal), at);
end $$
"""

# What is left cannot be tied to the person by anybody outside; the books themselves stay whole.
ERASE_SALTS = """
create function erase_salts(person uuid) returns bigint
language plpgsql security definer set search_path = public as $$
declare
  erased bigint;
begin
  if exists (select from account a join balance b on b.account_id = a.id
             where a.member_id = person and (b.posted_minor <> 0 or b.held_minor <> 0)) then
    raise exception 'money still stands on an account of %', person using errcode = 'MN070';
  end if;
  if exists (select from account a join transfer t on a.id in (t.debit_id, t.credit_id)
             where a.member_id = person
               and not exists (select from seal_leaf l where l.journal_id = t.journal_id)) then
    raise exception 'a journal of % is not sealed yet', person using errcode = 'MN071';
  end if;
  -- What was sealed under these codes must come out again when nothing can make them any more.
  if exists (select from account a join transfer t on a.id in (t.debit_id, t.credit_id)
             where a.member_id = person
               and not exists (select from line_code c where c.journal_id = t.journal_id
                               and c.line = t.line and c.is_debit = (t.debit_id = a.id))) then
    raise exception 'a code of % is not kept', person using errcode = 'MN073';
  end if;
  perform set_config('meent.erases_a_person', person::text, true);
  delete from journal_salt where journal_id in (
    select t.journal_id from account a join transfer t on a.id in (t.debit_id, t.credit_id)
    where a.member_id = person);
  get diagnostics erased = row_count;
  delete from account_secret where account_id in (
    select id from account where member_id = person);
  perform set_config('meent.erases_a_person', '', true);
  return erased;
end $$
"""

KEEP_SALTS = """
create function keep_salts() returns trigger language plpgsql set search_path = public as $$
begin
  if tg_op <> 'DELETE' or coalesce(current_setting('meent.erases_a_person', true), '') = '' then
    raise exception 'salts and secrets are only deleted by erase_salts, for one person'
      using errcode = 'MN072';
  end if;
  return old;
end $$
"""
FUNCTIONS = ("begin_seal_epoch(timestamptz)", "erase_salts(uuid)")
INDEX = "journal_by_transaction"


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    # Rows that are there get a constant, which PostgreSQL writes down once and not into each row.
    op.add_column("journal", sa.Column("xid", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute(
        "alter table journal alter column xid set default pg_current_xact_id()::text::bigint"
    )
    _create_tables()
    for function in (BEGIN_SEAL_EPOCH, ERASE_SALTS, KEEP_SALTS):
        op.execute(function)
    for function in FUNCTIONS:
        op.execute(f"revoke execute on function {function} from public")
        op.execute(f"grant execute on function {function} to meent_app")
    op.execute("revoke execute on function keep_salts() from public")
    _guard()
    with op.get_context().autocommit_block():
        op.drop_index(INDEX, "journal", if_exists=True, postgresql_concurrently=True)
        op.create_index(INDEX, "journal", ["xid", "id"], postgresql_concurrently=True)


def downgrade() -> None:
    op.drop_index(INDEX, "journal")
    for table in (*ERASED, "line_code", "seal_leaf", "seal", "seal_epoch"):
        op.drop_table(table)
    for function in (*FUNCTIONS, "keep_salts()"):
        op.execute(f"drop function {function}")
    op.drop_column("journal", "xid")


def _create_tables() -> None:
    moment, many = sa.DateTime(timezone=True), sa.BigInteger()
    op.create_table(
        "seal_epoch",
        sa.Column("epoch", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("through_journal", many, nullable=False),
        sa.Column("begun_at", moment, nullable=False),
    )
    op.create_table(
        "seal",
        sa.Column("height", many, primary_key=True, autoincrement=False),
        sa.Column("epoch", sa.Integer(), sa.ForeignKey("seal_epoch.epoch"), nullable=False),
        sa.Column("last_xid", many, nullable=False),
        sa.Column("last_journal", many, nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", moment, nullable=False),
        sa.CheckConstraint("height > 0 and size > 0", name="seals_hold_something"),
        sa.CheckConstraint(
            "octet_length(root) = 32 and octet_length(previous) = 32 and octet_length(hash) = 32"
            " and octet_length(key) = 32 and octet_length(signature) = 64",
            name="seals_are_hashed_and_signed",
        ),
        sa.UniqueConstraint("previous", name="a_seal_has_one_successor"),
        sa.UniqueConstraint("hash", name="seals_differ"),
    )
    op.create_table(
        "seal_leaf",
        sa.Column("journal_id", many, primary_key=True, autoincrement=False),
        sa.Column("height", many, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("hidden", sa.LargeBinary(), nullable=False),
        sa.UniqueConstraint("height", "position", name="one_leaf_in_a_place"),
    )
    op.create_table(
        "journal_salt",
        sa.Column("journal_id", many, primary_key=True, autoincrement=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("octet_length(salt) = 16", name="salts_cannot_be_guessed"),
    )
    op.create_table(
        "account_secret",
        sa.Column("account_id", sa.Uuid(), sa.ForeignKey("account.id"), primary_key=True),
        sa.Column("year", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("octet_length(secret) = 32", name="secrets_cannot_be_guessed"),
    )
    op.create_table(
        "line_code",
        sa.Column("journal_id", many, primary_key=True, autoincrement=False),
        sa.Column("line", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("is_debit", sa.Boolean(), primary_key=True),
        sa.Column("code", sa.Text(), nullable=False),
    )


def _guard() -> None:
    op.execute(f"grant select on {', '.join({*KEPT, *APP_APPENDS})} to meent_app")
    for table in APP_APPENDS:
        op.execute(f"grant insert on {table} to meent_app")
    for table in KEPT:
        op.execute(
            f"create trigger {table}_is_append_only before update or delete on {table}"
            " for each row execute function refuse_change()"
        )
        op.execute(
            f"create trigger {table}_is_never_emptied before truncate on {table}"
            " for each statement execute function refuse_change()"
        )
    for table in ERASED:
        op.execute(
            f"create trigger {table}_is_erased_for_a_person before update or delete on {table}"
            " for each row execute function keep_salts()"
        )
        op.execute(
            f"create trigger {table}_is_never_emptied before truncate on {table}"
            " for each statement execute function keep_salts()"
        )
