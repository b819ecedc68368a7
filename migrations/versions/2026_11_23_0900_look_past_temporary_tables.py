"""Let functions find the books alone, and never a table that the session made for itself.

Revision: look_past_temporary_tables
Follows: say_which_cars_take_wheelchairs
"""

from alembic import op

revision = "look_past_temporary_tables"
down_revision = "say_which_cars_take_wheelchairs"
branch_labels = None
depends_on = None

# Where a search path does not name pg_temp, PostgreSQL looks there first: whoever may make a
# temporary table named `tally` or `demo_clock` could enact what nobody voted.
SEARCH_THE_BOOKS_FIRST = """
do $$
declare
  known regprocedure;
begin
  for known in select oid::regprocedure from pg_proc
    where pronamespace = 'public'::regnamespace and prokind = 'f'
  loop
    execute format('alter function %s set search_path = public, pg_temp', known);
  end loop;
end $$
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    op.execute(SEARCH_THE_BOOKS_FIRST)


def downgrade() -> None:
    # Nothing is undone: an older program needs no door into its own books.
    pass
