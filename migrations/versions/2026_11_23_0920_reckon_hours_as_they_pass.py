"""Reckon durations of less than a day as they pass, also in the hour that a clock shows twice.

Revision: reckon_hours_as_they_pass
Follows: erase_people
"""

from alembic import op

revision = "reckon_hours_as_they_pass"
down_revision = "erase_people"
branch_labels = None
depends_on = None

# Whole days by the calendar of the cooperative's zone, as the library reckons deadlines. Without a
# whole day nothing is read from a clock on the wall: it could not say which of two hours it shows.
STATUTORY_END = """
create or replace function statutory_end(begins timestamptz, lasting_key text) returns timestamptz
language plpgsql volatile set search_path = public, pg_temp as $$
declare
  lasts_s bigint;
  zone text;
  on_the_day timestamptz := begins;
begin
  select (value #>> '{}')::bigint into strict lasts_s from policy_version
    where key = lasting_key and effective_from <= database_now()
    order by effective_from desc limit 1;
  if lasts_s >= 86400 then
    select time_zone into strict zone from cooperative;
    on_the_day := ((begins at time zone zone) + make_interval(days => (lasts_s / 86400)::int))
                  at time zone zone;
  end if;
  return on_the_day + make_interval(secs => lasts_s % 86400);
end $$
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    op.execute(STATUTORY_END)


def downgrade() -> None:
    # Nothing is undone: the function that it replaced answered the same, but for two hours a year.
    pass
