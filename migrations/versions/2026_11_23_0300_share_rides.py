"""Let rides be shared: parties of several, a price below the one alone, several rides in one car.

Revision: share_rides
Follows: find_offers_by_tick
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "share_rides"
down_revision = "find_offers_by_tick"
branch_labels = None
depends_on = None

CHECKS = {
    "a_shared_discount_leaves_a_fare": (
        "tariff_version",
        "shared_discount_bp between 0 and 9000",
    ),
    "parties_fit_a_car": ("quote", "seats between 1 and 8"),
    "a_shared_fare_is_never_above_alone": (
        "quote",
        "is_shared = (solo_fare_minor is not null) and coalesce(fare_minor <= solo_fare_minor, true)",
    ),
    "a_shared_quote_says_its_limits": (
        "quote",
        "is_shared = (max_wait_s is not null) and is_shared = (max_delay_s is not null)",
    ),
    "rides_are_of_parties_that_fit": ("ride", "seats between 1 and 8"),
    "shared_rides_are_for_now": ("ride", "not is_shared or pickup_from is null"),
}

# Who shares is counted with all seats from the assignment on, on board or not: simple, and safe.
KEEP_SEATS = """
create function keep_cars_within_their_seats() returns trigger language plpgsql
set search_path = public as $$
declare
  others record;
begin
  if new.driver_id is null or new.state not in ('assigned', 'arrived', 'under_way') then
    return new;
  end if;
  -- Whoever gives this driver another ride at the same moment waits here, and then sees this one.
  perform pg_advisory_xact_lock(hashtextextended('drives ' || new.driver_id, 0));
  select count(*) as rides, coalesce(sum(seats), 0) as seats,
      coalesce(bool_or(is_shared <> new.is_shared), false) as mixed into others
    from ride where driver_id = new.driver_id and id <> new.id
      and state in ('assigned', 'arrived', 'under_way');
  if others.mixed then
    raise exception 'driver % has a ride of the other kind', new.driver_id
      using errcode = 'check_violation', constraint = 'nobody_drives_alone_and_shared';
  end if;
  if new.is_shared and others.rides >= 3 then
    raise exception 'driver % has three shared rides', new.driver_id
      using errcode = 'check_violation', constraint = 'three_shared_rides_at_most';
  end if;
  if new.seats + (case when new.is_shared then others.seats else 0 end)
      > (select seats from vehicle where id = new.vehicle_id) then
    raise exception 'car % has not so many seats', new.vehicle_id
      using errcode = 'check_violation', constraint = 'a_car_holds_its_seats';
  end if;
  return new;
end $$
"""

# Founding writes the first tariff; the function differs by one column and its value.
FOUND_COOPERATIVE = """
create or replace function found_cooperative(
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
                              minimum_minor, free_wait_s, wait_per_minute_minor{column})
    values (tariff_id, at, (tariff->>'base_minor')::bigint, (tariff->>'per_km_minor')::bigint,
            (tariff->>'per_minute_minor')::bigint, (tariff->>'minimum_minor')::bigint,
            (tariff->>'free_wait_s')::int, (tariff->>'wait_per_minute_minor')::bigint{value});
  perform open_account(policy_ids[cardinality(policy_ids)], 'commission_income', null,
                       coop_currency, 0, at);
end $$
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    _number("tariff_version", "shared_discount_bp", default="2000")
    for table in ("quote", "ride"):
        op.add_column(
            table,
            sa.Column("is_shared", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        )
        _number(table, "seats", default="1")
    op.add_column("quote", sa.Column("solo_fare_minor", sa.BigInteger(), nullable=True))
    for column in ("max_wait_s", "max_delay_s", "arrival_eta_s"):
        op.add_column("quote", sa.Column(column, sa.Integer(), nullable=True))
    op.add_column("offer", sa.Column("run", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    for name, (table, rule) in CHECKS.items():
        # That old rows keep the rule too, the next revision makes sure.
        op.execute(f"alter table {table} add constraint {name} check ({rule}) not valid")
    op.execute(
        FOUND_COOPERATIVE.format(
            column=", shared_discount_bp", value=", (tariff->>'shared_discount_bp')::int"
        )
    )
    op.execute(KEEP_SEATS)
    op.execute("revoke execute on function keep_cars_within_their_seats() from public")
    op.execute(
        "create trigger cars_keep_within_their_seats"
        " before insert or update of driver_id, vehicle_id, is_shared, seats on ride"
        " for each row execute function keep_cars_within_their_seats()"
    )


def downgrade() -> None:
    op.execute("drop trigger cars_keep_within_their_seats on ride")
    op.execute("drop function keep_cars_within_their_seats()")
    op.execute(FOUND_COOPERATIVE.format(column="", value=""))
    for name, (table, _) in CHECKS.items():
        op.drop_constraint(name, table)
    op.drop_column("offer", "run")
    for column in ("max_wait_s", "max_delay_s", "arrival_eta_s", "solo_fare_minor"):
        op.drop_column("quote", column)
    for table in ("quote", "ride"):
        for column in ("is_shared", "seats"):
            op.drop_column(table, column)
    op.drop_column("tariff_version", "shared_discount_bp")


def _number(table: str, column: str, *, default: str) -> None:
    op.add_column(
        table, sa.Column(column, sa.Integer(), server_default=sa.text(default), nullable=False)
    )
