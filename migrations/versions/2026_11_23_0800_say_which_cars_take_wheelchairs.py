"""Say of each car whether it takes a wheelchair, and refuse a ride with one in any other.

Revision: say_which_cars_take_wheelchairs
Follows: book_for_guests
"""

import sqlalchemy as sa
from alembic import op

revision = "say_which_cars_take_wheelchairs"
down_revision = "book_for_guests"
branch_labels = None
depends_on = None

KEEP = """
create function keep_wheelchairs_in_cars_that_take_them() returns trigger language plpgsql
set search_path = public as $$
begin
  if exists (select from quote where id = new.quote_id and with_wheelchair)
      and not exists (select from vehicle where id = new.vehicle_id and takes_wheelchair) then
    raise exception 'car % takes no wheelchair', new.vehicle_id
      using errcode = 'check_violation', constraint = 'wheelchairs_ride_in_cars_that_take_them';
  end if;
  return new;
end $$
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    op.add_column(
        "vehicle",
        sa.Column("takes_wheelchair", sa.Boolean(), server_default="false", nullable=False),
    )
    op.execute(KEEP)
    op.execute("revoke execute on function keep_wheelchairs_in_cars_that_take_them() from public")
    op.execute(
        "create trigger wheelchairs_ride_in_cars_that_take_them"
        " before insert or update of vehicle_id, quote_id on ride"
        " for each row when (new.vehicle_id is not null)"
        " execute function keep_wheelchairs_in_cars_that_take_them()"
    )


def downgrade() -> None:
    op.execute("drop trigger wheelchairs_ride_in_cars_that_take_them on ride")
    op.execute("drop function keep_wheelchairs_in_cars_that_take_them()")
    op.drop_column("vehicle", "takes_wheelchair")
