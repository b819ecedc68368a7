"""Post a journal by plain statements, one a line and one a balance: half the work of the same.

Revision: post_in_plain_statements
Follows: reckon_hours_as_they_pass
"""

from alembic import op

revision = "post_in_plain_statements"
down_revision = "reckon_hours_as_they_pass"
branch_labels = None
depends_on = None

# Joins and sums over arrays of two or three cost more to begin than to do.
POST_JOURNAL = """
create or replace function post_journal(
  scope text, key text, print bytea, journal_kind text, subject uuid, policy uuid, at timestamptz,
  debits uuid[], credits uuid[], amounts bigint[], captured_hold uuid, reversed bigint default null
) returns bigint language plpgsql security definer set search_path = public, pg_temp as $$
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
  for n in 1..greatest(cardinality(debits), cardinality(credits), cardinality(amounts)) loop
    insert into transfer (journal_id, line, debit_id, credit_id, amount_minor, currency)
      values (posted, n, debits[n], credits[n], amounts[n],
              (select a.currency from account a where a.id = debits[n]));
  end loop;
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


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    op.execute(POST_JOURNAL)


def downgrade() -> None:
    # Nothing is undone: the function that it replaced wrote the same, more slowly.
    pass
