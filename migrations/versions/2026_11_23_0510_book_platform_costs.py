"""Book what the platform itself costs, and keep what replays of a month came to.

Revision: book_platform_costs
Follows: register_members
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "book_platform_costs"
down_revision = "register_members"
branch_labels = None
depends_on = None

ACCOUNTS = "'rider', 'driver', 'commission_income', 'bank', 'member_share'"
JOURNALS = "'ride_fare', 'reversal', 'member_share'"
PURPOSES = (
    "'servers', 'maps', 'staff', 'insurance', 'card_fees', 'support', 'rent', 'audit', 'grants',"
    " 'interest', 'other'"
)
OLD_POST_JOURNAL = (
    "post_journal(text, text, bytea, text, uuid, uuid, timestamptz, uuid[], uuid[], bigint[], uuid)"
)
NEW_POST_JOURNAL = OLD_POST_JOURNAL[:-1] + ", bigint)"
BOOK_COST = (
    "book_cost(uuid, text, bytea, timestamptz, uuid[], uuid[], bigint[], text, text, bytea, uuid,"
    " bigint, text)"
)

# The function differs by one argument: the journal that this one takes back.
POST_JOURNAL = """
create function post_journal(
  scope text, key text, print bytea, journal_kind text, subject uuid, policy uuid, at timestamptz,
  debits uuid[], credits uuid[], amounts bigint[], captured_hold uuid{argument}
) returns bigint language plpgsql security definer set search_path = public as $$
declare
  posted bigint;
  known bytea;
begin
  insert into journal (idem_scope, idem_key, fingerprint, kind, subject_id, policy_version_id,
                       effective_at{column})
    values (scope, key, print, journal_kind, subject, policy, at{value})
    on conflict (idem_scope, idem_key) do nothing returning id into posted;
  if posted is null then
    select id, fingerprint into posted, known from journal
      where idem_scope = scope and idem_key = key;
    if known is distinct from print then
      raise exception 'journal %/% was posted with other lines', scope, key using errcode = 'MN003';
    end if;
    return posted;
  end if;
  if coalesce(array_length(amounts, 1), 0) = 0 then
    raise exception 'a journal has at least one transfer' using errcode = 'MN004';
  end if;
  insert into transfer (journal_id, line, debit_id, credit_id, amount_minor, currency)
    select posted, t.line, t.debit, t.credit, t.amount, a.currency
    from unnest(debits, credits, amounts) with ordinality as t(debit, credit, amount, line)
    left join account a on a.id = t.debit;
  -- Only members' accounts have a balance row: house accounts are summed, so nobody queues there.
  perform 1 from balance where account_id = any(debits || credits) order by account_id for update;
  if captured_hold is not null then
    perform release_hold(captured_hold, 'posted', posted, at);
  end if;
  update balance b set posted_minor = b.posted_minor + change.amount
    from (select account_id, sum(amount) as amount
          from (select unnest(credits) as account_id, unnest(amounts) as amount
                union all select unnest(debits), -unnest(amounts)) as moves
          group by account_id) as change
    where b.account_id = change.account_id;
  return posted;
end $$
"""

CREATE_BOOK_COST = """
create function book_cost(
  entry_id uuid, journal_kind text, print bytea, at timestamptz, debits uuid[], credits uuid[],
  amounts bigint[], purpose text, document text, document_sha256 bytea, booked_by uuid,
  reversed bigint, reason text
) returns bigint language plpgsql security definer set search_path = public as $$
declare
  posted bigint;
begin
  posted := post_journal('cost', entry_id::text, print, journal_kind, entry_id, null, at,
                         debits, credits, amounts, null, reversed);
  insert into cost_entry values
    (entry_id, posted, purpose, document, document_sha256, booked_by, reason);
  return posted;
end $$
"""

# Looks when the transaction ends, since the entry is written after its journal.
KEEP_COSTS_EXPLAINED = """
create function keep_costs_explained() returns trigger language plpgsql set search_path = public
as $$
begin
  if (new.kind in ('platform_cost', 'other_income')
      or exists (select from cost_entry where journal_id = new.reverses))
      and not exists (select from cost_entry where journal_id = new.id) then
    raise exception 'journal % books a cost without purpose and document', new.id
      using errcode = 'MN005';
  end if;
  return null;
end $$
"""

# Founding opens the accounts of the house with the cooperative's own row.
OPEN_HOUSE_ACCOUNTS = """
create function open_house_accounts() returns trigger language plpgsql security definer
set search_path = public as $$
begin
  perform open_account(uuidv7(), kind, null, new.currency, 0, new.founded_at)
    from unnest(array['bank', 'platform_costs', 'other_income']) as kind;
  return null;
end $$
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    _kinds("account", "account_kinds_are_known", f"{ACCOUNTS}, 'platform_costs', 'other_income'")
    _kinds("journal", "journal_kinds_are_known", f"{JOURNALS}, 'platform_cost', 'other_income'")
    op.create_table(
        "cost_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("journal_id", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("document_sha256", sa.LargeBinary(), nullable=True),
        sa.Column("booked_by", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint(f"purpose in ({PURPOSES})", name="purposes_are_known"),
        sa.CheckConstraint("length(document) between 1 and 200", name="costs_have_a_document"),
        sa.CheckConstraint(
            "octet_length(document_sha256) = 32", name="documents_are_hashed_by_sha_256"
        ),
        sa.CheckConstraint("length(reason) between 1 and 500", name="reversed_costs_have_a_reason"),
        sa.ForeignKeyConstraint(["journal_id"], ["journal.id"]),
        sa.ForeignKeyConstraint(["booked_by"], ["member.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("journal_id", name="a_journal_is_of_one_cost"),
    )
    op.create_table(
        "forecast_replay",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("figures", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("until > since", name="replayed_months_last"),
        sa.PrimaryKeyConstraint("key", "computed_at", "value"),
    )
    op.execute("grant select, insert on forecast_replay to meent_app")
    # Nobody misses it: the new one takes the same calls, and both change in one transaction.
    op.execute(f"-- squawk-ignore ban-drop-function\ndrop function {OLD_POST_JOURNAL}")
    op.execute(
        POST_JOURNAL.format(
            argument=", reversed bigint default null", column=", reverses", value=", reversed"
        )
    )
    op.execute(CREATE_BOOK_COST)
    op.execute(KEEP_COSTS_EXPLAINED)
    op.execute(OPEN_HOUSE_ACCOUNTS)
    for function in (
        NEW_POST_JOURNAL,
        BOOK_COST,
        "keep_costs_explained()",
        "open_house_accounts()",
    ):
        op.execute(f"revoke execute on function {function} from public")
    for function in (NEW_POST_JOURNAL, BOOK_COST):
        op.execute(f"grant execute on function {function} to meent_app")
    op.execute("grant select on cost_entry to meent_app")
    op.execute(
        "create constraint trigger costs_are_explained after insert on journal"
        " deferrable initially deferred for each row when (new.kind <> 'ride_fare')"
        " execute function keep_costs_explained()"
    )
    for table in ("cost_entry", "forecast_replay"):
        op.execute(
            f"create trigger {table}_is_append_only before update or delete on {table}"
            " for each row execute function refuse_change()"
        )
        op.execute(
            f"create trigger {table}_is_never_emptied before truncate on {table}"
            " for each statement execute function refuse_change()"
        )
    op.execute(
        "create trigger house_accounts_are_opened after insert on cooperative for each row"
        " execute function open_house_accounts()"
    )
    op.execute(
        "select open_account(uuidv7(), kind, null, currency, 0, founded_at) from cooperative"
        " cross join unnest(array['bank', 'platform_costs', 'other_income']) as kind"
    )
    # In a transaction of their own: they read whole tables, and lock nobody out meanwhile.
    with op.get_context().autocommit_block():
        op.execute("alter table account validate constraint account_kinds_are_known")
        op.execute("alter table journal validate constraint journal_kinds_are_known")


def downgrade() -> None:
    """Refused by the database while a cost is booked."""
    _kinds("journal", "journal_kinds_are_known", JOURNALS)
    op.execute("alter table journal validate constraint journal_kinds_are_known")
    _kinds("account", "account_kinds_are_known", ACCOUNTS)
    op.execute("drop trigger house_accounts_are_opened on cooperative")
    op.execute("drop function open_house_accounts()")
    op.execute("drop trigger costs_are_explained on journal")
    op.execute("drop function keep_costs_explained()")
    op.execute(f"drop function {BOOK_COST}")
    op.drop_table("forecast_replay")
    op.drop_table("cost_entry")
    op.execute(f"drop function {NEW_POST_JOURNAL}")
    op.execute(POST_JOURNAL.format(argument="", column="", value=""))
    op.execute(f"revoke execute on function {OLD_POST_JOURNAL} from public")
    op.execute(f"grant execute on function {OLD_POST_JOURNAL} to meent_app")


def _kinds(table: str, name: str, kinds: str) -> None:
    """Let a table have more kinds of rows; old rows kept a narrower rule already."""
    # Nobody sees the table between the two: they are one transaction.
    op.execute(f"-- squawk-ignore ban-drop-constraint\nalter table {table} drop constraint {name}")
    op.execute(f"alter table {table} add constraint {name} check (kind in ({kinds})) not valid")
