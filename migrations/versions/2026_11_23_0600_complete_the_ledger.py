"""Complete the ledger: holds in parts, reversals, closed periods, roll-ups.

Revision: complete_the_ledger
Follows: enact_what_was_voted
"""

import sqlalchemy as sa
from alembic import op

revision = "complete_the_ledger"
down_revision = "enact_what_was_voted"
branch_labels = None
depends_on = None

OLD_HOUSE = "'commission_income', 'bank', 'platform_costs', 'other_income'"
NEW_HOUSE = (
    "'surplus', 'statutory_reserve', 'voted_reserve', 'education_fund', 'solidarity_fund',"
    " 'investment_pot', 'refunds_payable', 'payout_clearing'"
)
OLD_ACCOUNTS = f"'rider', 'driver', 'member_share', {OLD_HOUSE}"
OLD_JOURNALS = "'ride_fare', 'reversal', 'member_share', 'platform_cost', 'other_income'"
NEW_JOURNALS = (
    "'tip', 'payout', 'payout_return', 'surplus_close', 'surplus_share', 'refund_allocation',"
    " 'loss_absorption', 'solidarity_payment', 'adjustment'"
)
# What a row may be: before and from now on.
CHECKS = {
    ("account", "account_kinds_are_known"): (
        f"kind in ({OLD_ACCOUNTS})",
        f"kind in ({OLD_ACCOUNTS}, 'member_capital', {NEW_HOUSE})",
    ),
    ("journal", "journal_kinds_are_known"): (
        f"kind in ({OLD_JOURNALS})",
        f"kind in ({OLD_JOURNALS}, {NEW_JOURNALS})",
    ),
    ("hold_end", "hold_outcomes_are_known"): (
        "outcome in ('posted', 'voided')",
        "outcome in ('posted', 'voided', 'expired')",
    ),
}
NEW_CHECKS = {
    ("account", "house_accounts_are_nobodys"): (
        f"(member_id is null) = (kind in ({OLD_HOUSE}, {NEW_HOUSE}))"
    ),
    ("hold", "holds_expire_later"): "expires_at > placed_at",
}
BOOKS = ("journal_reason", "period_lock", "journal_horizon", "account_rollup")
OLD_PLACE_HOLD = "place_hold(uuid, uuid, bigint, timestamptz)"
NEW_PLACE_HOLD = "place_hold(uuid, uuid, bigint, timestamptz, timestamptz)"
POST_ADJUSTMENT_CALL = (
    "post_adjustment(text, text, bytea, uuid, uuid, timestamptz, uuid[], uuid[], bigint[], text,"
    " uuid)"
)
EXPIRING = {
    "argument": ", expires timestamptz default null",
    "column": ", expires_at",
    "value": ", expires",
}
NEW_ARGUMENT = ", expires timestamptz default null"
# What the app may call, besides what it calls already.
APP_FUNCTIONS = (
    NEW_PLACE_HOLD,
    "expire_holds(timestamptz, int)",
    "reverse_journal(bigint, text, uuid, timestamptz)",
    POST_ADJUSTMENT_CALL,
    "lock_period(timestamptz, uuid, timestamptz)",
    "roll_up(int)",
)
GUARDS = ("keep_periods_closed()", "keep_corrections_explained()", "keep_reserve_indivisible()")

OPEN_HOUSE_ACCOUNTS = """
create or replace function open_house_accounts() returns trigger language plpgsql security definer
set search_path = public as $$
begin
  perform open_account(uuidv7(), kind, null, new.currency, 0, new.founded_at)
    from unnest(array[{kinds}]) as kind;
  return null;
end $$
"""

PLACE_HOLD = """
create function place_hold(
  hold_id uuid, on_account uuid, amount bigint, at timestamptz{argument}
) returns void language plpgsql security definer set search_path = public as $$
begin
  update balance set held_minor = held_minor + amount where account_id = on_account;
  if not found then
    raise exception 'account % takes no holds', on_account using errcode = 'MN002';
  end if;
  insert into hold (id, account_id, amount_minor, placed_at{column})
    values (hold_id, on_account, amount, at{value});
end $$
"""

GUARD_HOLDS = """
  if by_journal is not null and not exists (
      select from transfer where journal_id = by_journal and debit_id = held.account_id) then
    raise exception 'journal % takes nothing from the account of hold %', by_journal, ended_hold
      using errcode = 'MN020';
  end if;
  -- The balance is locked before the end is written, as whoever posts does: two who end one hold
  -- then wait in a line and never in a circle.
  perform 1 from balance where account_id = held.account_id for update;"""

RELEASE_HOLD = """
create or replace function release_hold(
  ended_hold uuid, how text, by_journal bigint, at timestamptz
) returns void language plpgsql security definer set search_path = public as $$
declare
  held hold%rowtype;
begin
  select * into strict held from hold where id = ended_hold;{guard}
  insert into hold_end (hold_id, outcome, journal_id, ended_at)
    values (ended_hold, how, by_journal, at);
  update balance set held_minor = held_minor - held.amount_minor
    where account_id = held.account_id;
end $$
"""

EXPIRE_HOLDS = """
create function expire_holds(at timestamptz, most int) returns setof uuid
language plpgsql security definer set search_path = public as $$
declare
  due record;
begin
  -- Few accounts hold money at one moment: the balances lead to the open holds.
  for due in
    select h.id, h.account_id from balance b join hold h on h.account_id = b.account_id
    where b.held_minor > 0 and h.expires_at <= at
      and not exists (select from hold_end e where e.hold_id = h.id)
    order by h.account_id, h.id limit most
  loop
    -- Whoever moves money of the account at this moment goes first; the next sweep comes back.
    perform 1 from balance where account_id = due.account_id for update skip locked;
    continue when not found;
    continue when exists (select from hold_end where hold_id = due.id);
    perform release_hold(due.id, 'expired', null, at);
    return next due.id;
  end loop;
end $$
"""

# It concerns the moment of what it takes back, as long as that lies in the open period.
REVERSE_JOURNAL = """
create function reverse_journal(undone bigint, why text, person uuid, at timestamptz)
returns bigint language plpgsql security definer set search_path = public as $$
declare
  was journal%rowtype;
  posted bigint;
begin
  select * into strict was from journal where id = undone;
  if was.reverses is not null then
    raise exception 'journal % is a reversal, which is final', undone using errcode = 'MN022';
  end if;
  select post_journal(
      'reversal', undone::text,
      sha256(convert_to(concat_ws('|', undone, person, why), 'UTF8')), 'reversal', was.subject_id,
      was.policy_version_id,
      case when exists (select from period_lock where until > was.effective_at)
        then at else was.effective_at end,
      array_agg(credit_id order by line), array_agg(debit_id order by line),
      array_agg(amount_minor order by line), null, undone)
    into posted from transfer where journal_id = undone;
  insert into journal_reason values (posted, why, person) on conflict do nothing;
  return posted;
end $$
"""

POST_ADJUSTMENT = """
create function post_adjustment(
  scope text, key text, print bytea, subject uuid, policy uuid, at timestamptz, debits uuid[],
  credits uuid[], amounts bigint[], why text, person uuid
) returns bigint language plpgsql security definer set search_path = public as $$
declare
  posted bigint := post_journal(scope, key, print, 'adjustment', subject, policy, at, debits,
                                credits, amounts, null);
begin
  insert into journal_reason values (posted, why, person) on conflict do nothing;
  return posted;
end $$
"""

# Looks after the insert, which waits for whoever closes a period at this moment: only what is read
# afterwards shows what was closed.
KEEP_PERIODS_CLOSED = """
create function keep_periods_closed() returns trigger language plpgsql
set search_path = public as $$
begin
  if exists (select from period_lock where until > new.effective_at) then
    raise exception 'the period of % is closed', new.effective_at using errcode = 'MN021';
  end if;
  return null;
end $$
"""

# Looks when the transaction ends, since the reason is written after its journal.
KEEP_CORRECTIONS_EXPLAINED = """
create function keep_corrections_explained() returns trigger language plpgsql
set search_path = public as $$
begin
  if not exists (select from journal_reason where journal_id = new.id)
      and not exists (select from cost_entry where journal_id = new.id) then
    raise exception 'journal % corrects without a reason', new.id using errcode = 'MN023';
  end if;
  return null;
end $$
"""

LOCK_PERIOD = """
create function lock_period(locked_until timestamptz, person uuid, at timestamptz)
returns void language plpgsql security definer set search_path = public as $$
begin
  -- Waits for everybody who is posting, and lets nobody begin until the lock is there to be seen.
  lock table journal in share row exclusive mode;
  if locked_until > at or locked_until <= (select max(until) from period_lock) then
    raise exception 'a period is closed once and after its end, not up to %', locked_until
      using errcode = 'MN024';
  end if;
  insert into period_lock (until, through_journal, locked_by, locked_at)
    values (locked_until, (select coalesce(max(id), 0) from journal), person, at);
end $$
"""

# Numbers are given when a journal is written and seen when it is committed, so the newest number
# seen says nothing of smaller ones. With nobody posting it does, and the next round sums up to it:
# the table is locked for the moment of this commit only, not while thousands of lines are summed.
ROLL_UP = """
create function roll_up(least_lines int) returns int
language plpgsql security definer set search_path = public set lock_timeout = '200ms' as $$
declare
  through bigint;
  written int := 0;
begin
  select max(journal_id) into through from journal_horizon;
  if through is not null then
    insert into account_rollup (account_id, through_journal, debits_minor, credits_minor)
      select a.id, through, coalesce(last.debits_minor, 0) + moved.debits,
        coalesce(last.credits_minor, 0) + moved.credits
      from account a
      left join lateral (select * from account_rollup r where r.account_id = a.id
                         order by r.through_journal desc limit 1) as last on true
      cross join lateral (
        select count(*) as lines,
          coalesce(sum(amount_minor) filter (where debit_id = a.id), 0) as debits,
          coalesce(sum(amount_minor) filter (where credit_id = a.id), 0) as credits
        from transfer
        where a.id in (debit_id, credit_id) and journal_id <= through
          and journal_id > coalesce(last.through_journal, 0)) as moved
      where a.member_id is null and moved.lines >= greatest(least_lines, 1)
      on conflict do nothing;
    get diagnostics written = row_count;
  end if;
  begin
    lock table journal in share row exclusive mode;
    insert into journal_horizon (journal_id)
      select max(id) from journal having max(id) is not null on conflict do nothing;
  exception when lock_not_available then
    null;  -- Somebody posts for long; a later round looks again.
  end;
  return written;
end $$
"""

KEEP_RESERVE_INDIVISIBLE = """
create function keep_reserve_indivisible() returns trigger language plpgsql
set search_path = public as $$
begin
  if exists (select from account reserve join fresh t on t.debit_id = reserve.id
             join journal j on j.id = t.journal_id join account c on c.id = t.credit_id
             where reserve.kind = 'statutory_reserve'
               and (j.kind <> 'loss_absorption' or c.kind <> 'surplus')) then
    raise exception 'the statutory reserve is indivisible: it only absorbs losses'
      using errcode = 'MN025';
  end if;
  return null;
end $$
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    for (table, name), (_, rule) in CHECKS.items():
        _replace_check(table, name, rule)
    op.add_column("hold", sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
    for (table, name), rule in NEW_CHECKS.items():
        op.execute(f"alter table {table} add constraint {name} check ({rule}) not valid")
    _create_tables()
    # Nobody misses it: the new one takes the same calls.
    op.execute(f"-- squawk-ignore ban-drop-function\ndrop function {OLD_PLACE_HOLD}")
    for function in (
        PLACE_HOLD.format(argument=NEW_ARGUMENT, column=", expires_at", value=", expires"),
        OPEN_HOUSE_ACCOUNTS.format(kinds=f"{OLD_HOUSE}, {NEW_HOUSE}"),
        RELEASE_HOLD.format(guard=GUARD_HOLDS),
        EXPIRE_HOLDS,
        REVERSE_JOURNAL,
        POST_ADJUSTMENT,
        KEEP_PERIODS_CLOSED,
        KEEP_CORRECTIONS_EXPLAINED,
        LOCK_PERIOD,
        ROLL_UP,
        KEEP_RESERVE_INDIVISIBLE,
    ):
        op.execute(function)
    op.execute("revoke execute on all functions in schema public from public")
    for function in APP_FUNCTIONS:
        op.execute(f"grant execute on function {function} to meent_app")
    _guard()
    op.execute(
        "select open_account(uuidv7(), kind, null, currency, 0, founded_at) from cooperative"  # noqa: S608 - constants
        f" cross join unnest(array[{NEW_HOUSE}]) as kind"
    )
    # In a transaction of their own: they read whole tables, and lock nobody out meanwhile.
    with op.get_context().autocommit_block():
        for table, name in (*CHECKS, *NEW_CHECKS):
            op.execute(f"alter table {table} validate constraint {name}")


def downgrade() -> None:
    """Refused by the database once a cooperative was founded: its accounts are in the books."""
    op.execute("alter table account drop constraint house_accounts_are_nobodys")
    for (table, name), (rule, _) in CHECKS.items():
        _replace_check(table, name, rule)
        op.execute(f"alter table {table} validate constraint {name}")
    for function in (*APP_FUNCTIONS, *GUARDS):
        op.execute(f"drop function {function} cascade")  # with its triggers
    op.execute(PLACE_HOLD.format(argument="", column="", value=""))
    op.execute(RELEASE_HOLD.format(guard=""))
    op.execute(OPEN_HOUSE_ACCOUNTS.format(kinds="'bank', 'platform_costs', 'other_income'"))
    op.execute(f"revoke execute on function {OLD_PLACE_HOLD} from public")
    op.execute(f"grant execute on function {OLD_PLACE_HOLD} to meent_app")
    for table in reversed(BOOKS):
        op.drop_table(table)
    op.drop_column("hold", "expires_at")


def _create_tables() -> None:
    moment, money = sa.DateTime(timezone=True), sa.BigInteger()
    op.create_table(
        "journal_reason",
        sa.Column("journal_id", money, sa.ForeignKey("journal.id"), primary_key=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), sa.ForeignKey("member.id"), nullable=True),
        sa.CheckConstraint("length(reason) between 1 and 500", name="corrections_have_a_reason"),
    )
    op.create_table(
        "period_lock",
        sa.Column("until", moment, primary_key=True),
        sa.Column("through_journal", money, nullable=False),
        sa.Column("locked_by", sa.Uuid(), sa.ForeignKey("member.id"), nullable=True),
        sa.Column("locked_at", moment, nullable=False),
        sa.CheckConstraint("until <= locked_at", name="periods_are_closed_after_their_end"),
    )
    op.create_table(
        "journal_horizon",
        sa.Column("journal_id", money, sa.ForeignKey("journal.id"), primary_key=True),
    )
    horizon = sa.ForeignKey("journal_horizon.journal_id")
    op.create_table(
        "account_rollup",
        sa.Column("account_id", sa.Uuid(), sa.ForeignKey("account.id"), primary_key=True),
        sa.Column("through_journal", money, horizon, primary_key=True),
        sa.Column("debits_minor", money, nullable=False),
        sa.Column("credits_minor", money, nullable=False),
    )


def _guard() -> None:
    """Let nobody edit what is new, nor correct without a reason, nor divide the reserve."""
    for table in BOOKS:
        op.execute(f"grant select on {table} to meent_app")
        for name, when in (
            ("is_append_only", f"update or delete on {table} for each row"),
            ("is_never_emptied", f"truncate on {table} for each statement"),
        ):
            op.execute(
                f"create trigger {table}_{name} before {when} execute function refuse_change()"
            )
    op.execute(
        "create trigger journal_is_of_an_open_period after insert on journal"
        " for each row execute function keep_periods_closed()"
    )
    op.execute(
        "create constraint trigger corrections_are_explained after insert on journal"
        " deferrable initially deferred for each row"
        " when (new.kind in ('reversal', 'adjustment'))"
        " execute function keep_corrections_explained()"
    )
    op.execute(
        "create trigger the_reserve_is_indivisible after insert on transfer"
        " referencing new table as fresh for each statement"
        " execute function keep_reserve_indivisible()"
    )


def _replace_check(table: str, name: str, rule: str) -> None:
    """Nobody sees the table between the two; whoever widens a rule knows its old rows keep it."""
    op.execute(f"-- squawk-ignore ban-drop-constraint\nalter table {table} drop constraint {name}")
    op.execute(f"alter table {table} add constraint {name} check ({rule}) not valid")
