"""Guard the books, the event log and the policies: functions write them, nobody edits them.

Revision: guard_the_books
"""

from alembic import op

revision = "guard_the_books"
down_revision = "create_dispatch"
branch_labels = None
depends_on = None

APPEND_ONLY = (
    "event_log",
    "journal",
    "transfer",
    "hold",
    "hold_end",
    "account",
    "policy_version",
    "tariff_version",
    "cooperative",
    "calibration",
)
# What the app may write by plain statements; the rest is written by the functions below.
APP_WRITES = (
    "idempotency_key",
    "member",
    "member_role",
    "sign_in_code",
    "session",
    "socket_ticket",
    "suspension",
    "driver_application",
    "vehicle",
    "document",
    "quote",
    "shift",
    "driver_position",
    "ride",
    "dispatch_tick",
    "offer",
)
# What the app may add to but never edit: no money hangs on it, so no function stands before it.
APP_APPENDS = ("calibration",)
APP_DELETES = ("idempotency_key", "sign_in_code", "socket_ticket", "driver_position")

REFUSE_CHANGE = """
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only: write a correcting row instead', tg_table_name
    using errcode = 'MN001';
end $$
"""

APPEND_EVENTS = """
create function append_events(streams uuid[], types text[], datas jsonb[], ats timestamptz[])
returns void language plpgsql security definer set search_path = public as $$
declare
  entry record;
  next_seq bigint;
begin
  -- Streams are locked in one order by everybody, so that two transactions never wait in a circle.
  for entry in
    select * from unnest(streams, types, datas, ats) with ordinality as e(stream, type, data, at, n)
    order by e.stream, e.n
  loop
    insert into event_stream as s (stream_id, last_seq) values (entry.stream, 1)
      on conflict (stream_id) do update set last_seq = s.last_seq + 1
      returning last_seq into next_seq;
    insert into event_log (stream_id, seq, type, at, data)
      values (entry.stream, next_seq, entry.type, entry.at, entry.data);
  end loop;
end $$
"""

OPEN_ACCOUNT = """
create function open_account(
  account_id uuid, account_kind text, owner_id uuid, account_currency text, lowest bigint,
  at timestamptz
) returns uuid language plpgsql security definer set search_path = public as $$
declare
  existing uuid;
begin
  -- Two branches, since "is not distinct from" would read the whole table instead of an index.
  if owner_id is null then
    select id into existing from account where kind = account_kind and member_id is null;
  else
    select id into existing from account where kind = account_kind and member_id = owner_id;
  end if;
  if existing is not null then
    return existing;
  end if;
  insert into account (id, kind, member_id, currency, opened_at)
    values (account_id, account_kind, owner_id, account_currency, at);
  if owner_id is not null then
    insert into balance (account_id, lowest_minor) values (account_id, lowest);
  end if;
  return account_id;
end $$
"""

PLACE_HOLD = """
create function place_hold(hold_id uuid, on_account uuid, amount bigint, at timestamptz)
returns void language plpgsql security definer set search_path = public as $$
begin
  update balance set held_minor = held_minor + amount where account_id = on_account;
  if not found then
    raise exception 'account % takes no holds', on_account using errcode = 'MN002';
  end if;
  insert into hold (id, account_id, amount_minor, placed_at)
    values (hold_id, on_account, amount, at);
end $$
"""

RELEASE_HOLD = """
create function release_hold(ended_hold uuid, how text, by_journal bigint, at timestamptz)
returns void language plpgsql security definer set search_path = public as $$
declare
  held hold%rowtype;
begin
  select * into strict held from hold where id = ended_hold;
  insert into hold_end (hold_id, outcome, journal_id, ended_at)
    values (ended_hold, how, by_journal, at);
  update balance set held_minor = held_minor - held.amount_minor
    where account_id = held.account_id;
end $$
"""

VOID_HOLD = """
create function void_hold(ended_hold uuid, at timestamptz)
returns void language sql security definer set search_path = public as $$
  select release_hold(ended_hold, 'voided', null, at)
$$
"""

POST_JOURNAL = """
create function post_journal(
  scope text, key text, print bytea, journal_kind text, subject uuid, policy uuid, at timestamptz,
  debits uuid[], credits uuid[], amounts bigint[], captured_hold uuid
) returns bigint language plpgsql security definer set search_path = public as $$
declare
  posted bigint;
  known bytea;
begin
  insert into journal (idem_scope, idem_key, fingerprint, kind, subject_id, policy_version_id,
                       effective_at)
    values (scope, key, print, journal_kind, subject, policy, at)
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

FOUND_COOPERATIVE = """
create function found_cooperative(
  coop_name text, coop_currency text, zone text, statutes jsonb, policy_ids uuid[],
  tariff_id uuid, tariff jsonb, print bytea, at timestamptz
) returns void language plpgsql security definer set search_path = public as $$
begin
  -- The primary key of cooperative lets this happen once; afterwards only a tally writes policies.
  insert into cooperative (one, name, currency, time_zone, statutes_hash, founded_at)
    values (true, coop_name, coop_currency, zone, print, at);
  insert into policy_version (id, key, value, effective_from, source)
    select policy_ids[s.n], s.key, s.value, at, 'founding'
    from jsonb_each(statutes) with ordinality as s(key, value, n);
  insert into tariff_version (id, effective_from, base_minor, per_km_minor, per_minute_minor,
                              minimum_minor, free_wait_s, wait_per_minute_minor)
    values (tariff_id, at, (tariff->>'base_minor')::bigint, (tariff->>'per_km_minor')::bigint,
            (tariff->>'per_minute_minor')::bigint, (tariff->>'minimum_minor')::bigint,
            (tariff->>'free_wait_s')::int, (tariff->>'wait_per_minute_minor')::bigint);
  perform open_account(policy_ids[cardinality(policy_ids)], 'commission_income', null,
                       coop_currency, 0, at);
end $$
"""

FUNCTIONS = (
    REFUSE_CHANGE,
    APPEND_EVENTS,
    OPEN_ACCOUNT,
    PLACE_HOLD,
    RELEASE_HOLD,
    VOID_HOLD,
    POST_JOURNAL,
    FOUND_COOPERATIVE,
)
# release_hold and found_cooperative are missing here on purpose: the app may not call them.
APP_FUNCTIONS = (
    "append_events(uuid[], text[], jsonb[], timestamptz[])",
    "open_account(uuid, text, uuid, text, bigint, timestamptz)",
    "place_hold(uuid, uuid, bigint, timestamptz)",
    "void_hold(uuid, timestamptz)",
    "post_journal(text, text, bytea, text, uuid, uuid, timestamptz, uuid[], uuid[], bigint[], uuid)",
)

# Roles belong to the whole server: several databases of one server may be migrated at once.
CREATE_ROLE = """
do $$ begin
  if not exists (select from pg_roles where rolname = 'meent_app') then
    create role meent_app nologin;
  end if;
exception when duplicate_object or unique_violation then null;
end $$
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    op.execute(CREATE_ROLE)
    for function in FUNCTIONS:
        op.execute(function)
    op.execute("revoke execute on all functions in schema public from public")
    op.execute("grant usage on schema public to meent_app")
    op.execute("grant select on all tables in schema public to meent_app")
    for table in APP_WRITES:
        op.execute(f"grant insert, update on {table} to meent_app")
    for table in APP_APPENDS:
        op.execute(f"grant insert on {table} to meent_app")
    for table in APP_DELETES:
        op.execute(f"grant delete on {table} to meent_app")
    for function in APP_FUNCTIONS:
        op.execute(f"grant execute on function {function} to meent_app")
    for table in APPEND_ONLY:
        op.execute(
            f"create trigger {table}_is_append_only before update or delete on {table}"
            " for each row execute function refuse_change()"
        )
        op.execute(
            f"create trigger {table}_is_never_emptied before truncate on {table}"
            " for each statement execute function refuse_change()"
        )


def downgrade() -> None:
    for table in APPEND_ONLY:
        op.execute(f"drop trigger {table}_is_never_emptied on {table}")
        op.execute(f"drop trigger {table}_is_append_only on {table}")
    # The role stays: other databases of the same server may use it.
    op.execute("revoke all on all tables in schema public from meent_app")
    op.execute("revoke usage on schema public from meent_app")
    for name in (
        "found_cooperative",
        "post_journal",
        "void_hold",
        "release_hold",
        "place_hold",
        "open_account",
        "append_events",
        "refuse_change",
    ):
        op.execute(f"drop function {name}")
