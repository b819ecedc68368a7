"""Let what every ride's posting does cost less: one insert, lighter guards, one index less.

Revision: lighten_the_posting
Follows: post_in_plain_statements
"""

import sqlalchemy as sa
from alembic import op

revision = "lighten_the_posting"
down_revision = "post_in_plain_statements"
branch_labels = None
depends_on = None

# A check is read anew from its text for every insert, and a list of thirty words is a long text;
# a function is read once in a connection. A kind that is added replaces this function. What stands
# before the last transaction may happen twice: an upgrade that was cut short begins anew.
KINDS = (
    "'ride_fare', 'member_share', 'platform_cost', 'other_income', 'tip', 'payout',"
    " 'payout_return', 'surplus_close', 'surplus_share', 'refund_allocation',"
    " 'capital_redemption', 'loss_absorption', 'solidarity_payment', 'solidarity_contribution',"
    " 'ride_fee', 'fare_share', 'pay_floor', 'card_capture', 'card_refund', 'chargeback',"
    " 'cash_taken', 'invoice_issued', 'invoice_paid', 'bad_debt', 'peer_ride',"
    " 'peer_settlement', 'remittance', 'adjustment', 'reversal'"
)
IS_JOURNAL_KIND = f"""
create or replace function is_journal_kind(kind text) returns boolean language plpgsql immutable
set search_path = public, pg_temp as $$
begin
  return kind in ({KINDS});
end $$
"""

# Generic plans: PostgreSQL would plan for each array anew, which takes longer than the insert.
POST_JOURNAL = """
create or replace function post_journal(
  scope text, key text, print bytea, journal_kind text, subject uuid, policy uuid, at timestamptz,
  debits uuid[], credits uuid[], amounts bigint[], captured_hold uuid, reversed bigint default null
) returns bigint language plpgsql security definer set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan as $$
declare
  posted bigint;
  known bytea;
  account uuid;
  moved bigint;
begin
  insert into journal (idem_scope, idem_key, fingerprint, kind, subject_id, policy_version_id,
                       effective_at, reverses)
    values (scope, key, print, journal_kind, subject, policy, at, reversed)
    on conflict (idem_scope, idem_key) do nothing returning id into posted;
  if posted is null then
    select id, fingerprint into posted, known from journal
      where idem_scope = scope and idem_key = key;
    if known is distinct from print then
      raise exception 'journal %/% was posted with other lines', scope, key using errcode = 'MN003';
    end if;
    return posted;
  end if;
  if coalesce(cardinality(amounts), 0) = 0 then
    raise exception 'a journal has at least one transfer' using errcode = 'MN004';
  end if;
  -- Where one array is longer, what the others lack is null, and the table refuses it.
  insert into transfer (journal_id, line, debit_id, credit_id, amount_minor, currency)
    select posted, n, debits[n], credits[n], amounts[n],
           (select a.currency from account a where a.id = debits[n])
    from generate_series(1, greatest(cardinality(debits), cardinality(credits),
                                     cardinality(amounts))) as n;
  if captured_hold is not null then
    -- The end of a hold changes a balance too: all are locked before it, in the order below.
    perform from balance b where b.account_id = any(debits || credits)
      order by b.account_id for update;
    perform release_hold(captured_hold, 'posted', posted, at);
  end if;
  -- Only members' accounts have a balance row: house accounts are summed, so nobody queues there.
  -- Each once, in the order of accounts: two journals never wait for each other in a circle.
  foreach account in array array(select distinct unnest(debits || credits) order by 1) loop
    moved := 0;
    for n in 1..cardinality(amounts) loop
      moved := moved + case account when credits[n] then amounts[n] when debits[n] then -amounts[n]
                       else 0 end;
    end loop;
    update balance b set posted_minor = b.posted_minor + moved where b.account_id = account;
  end loop;
  return posted;
end $$
"""

# Nearly no journal takes from the reserve: that is seen first, by the one row that it has.
KEEP_RESERVE_INDIVISIBLE = """
create or replace function keep_reserve_indivisible() returns trigger language plpgsql
set search_path = public, pg_temp as $$
declare
  reserve uuid := (select id from account where kind = 'statutory_reserve'
                     and member_id is null and partner_id is null);
begin
  if not exists (select from fresh where debit_id = reserve) then
    return null;
  end if;
  if exists (select from fresh t join journal j on j.id = t.journal_id
               join account c on c.id = t.credit_id
             where t.debit_id = reserve
               and (j.kind <> 'loss_absorption' or c.kind <> 'surplus')) then
    raise exception 'the statutory reserve is indivisible: it only absorbs losses'
      using errcode = 'MN025';
  end if;
  return null;
end $$
"""

ONCE = "a_journal_is_reversed_once"


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    op.execute(IS_JOURNAL_KIND)
    op.execute("revoke execute on function is_journal_kind(text) from public")
    _replace_check("is_journal_kind(kind)")
    op.execute(POST_JOURNAL)
    op.execute(KEEP_RESERVE_INDIVISIBLE)
    with op.get_context().autocommit_block():
        op.execute("alter table journal validate constraint journal_kinds_are_known")
        # Few journals are reversals, and the others need no line in an index of them. The old one
        # goes when the new one is there: a journal is reversed once at every moment.
        op.drop_index(f"{ONCE}_new", "journal", if_exists=True, postgresql_concurrently=True)
        op.create_index(
            f"{ONCE}_new",
            "journal",
            ["reverses"],
            unique=True,
            postgresql_where=sa.text("reverses is not null"),
            postgresql_concurrently=True,
        )
    op.execute("set local lock_timeout = '4s'")
    op.execute(f"-- squawk-ignore ban-drop-constraint\nalter table journal drop constraint {ONCE}")
    op.execute(f"-- squawk-ignore renaming-object\nalter index {ONCE}_new rename to {ONCE}")


def downgrade() -> None:
    # The functions stay: those that they replaced did the same, more slowly.
    op.drop_index(ONCE, "journal")
    op.create_unique_constraint(ONCE, "journal", ["reverses"])
    _replace_check(f"kind in ({KINDS})")
    # It was valid before, and is valid again.
    op.execute("alter table journal validate constraint journal_kinds_are_known")
    op.execute("drop function is_journal_kind(text)")


def _replace_check(rule: str) -> None:
    """Nobody sees the table between the two; old rows keep the rule that they kept before."""
    op.execute(
        "-- squawk-ignore ban-drop-constraint\n"
        "alter table journal drop constraint journal_kinds_are_known"
    )
    op.execute(
        f"alter table journal add constraint journal_kinds_are_known check ({rule}) not valid"
    )
