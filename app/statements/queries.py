"""Every statement of the statements' room; it reads, and writes nothing."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction

# Which ride a journal is for: its subject is the ride, the ride's payment, or something of its own
# that names the journal; a reversal is for what it takes back.
_OF_RIDE = """
left join ride r on r.id = j.subject_id
left join payment paid on paid.id = j.subject_id
left join tip on tip.journal_id = coalesce(j.reverses, j.id)
left join dispute_decision decided on decided.journal_id = coalesce(j.reverses, j.id)
left join dispute on dispute.id = decided.dispute_id
"""
# Every line of every account, as statements show it. The audit adds up these same lines.
LINES = f"""
select a.id as account_id, j.id as journal_id, t.line, j.kind, other.kind as other_side,
  undone.kind as undone_kind, coalesce(r.id, paid.ride_id, tip.ride_id, dispute.ride_id) as ride_id,
  j.policy_version_id, why.reason, j.effective_at,
  case when t.credit_id = a.id then t.amount_minor else -t.amount_minor end as amount_minor
from account a join transfer t on a.id in (t.credit_id, t.debit_id)
join journal j on j.id = t.journal_id
join account other on other.id in (t.credit_id, t.debit_id) and other.id <> a.id
left join journal undone on undone.id = j.reverses
left join journal_reason why on why.journal_id = j.id
{_OF_RIDE}
"""
_LINE_COLUMNS = (
    "journal_id, line, kind, other_side, undone_kind, ride_id, policy_version_id, reason,"
    " effective_at, amount_minor"
)
_OPENING = """
select coalesce(sum(case when t.credit_id = $1 then t.amount_minor else -t.amount_minor end), 0)
  ::bigint
from transfer t join journal j on j.id = t.journal_id
where $1 in (t.credit_id, t.debit_id) and j.effective_at < $2
"""
_RIDES = """
select r.id as ride_id, r.state, r.ended_at, q.distance_m,
  coalesce(s.items, '[]'::jsonb) as items, coalesce(s.commission_bp, q.commission_bp)
    as commission_bp, coalesce(s.policy_version_id, q.policy_version_id) as policy_version_id,
  coalesce(s.vat_minor, 0) as vat_minor, coalesce(s.vat_remitted_by, 'nobody') as vat_remitted_by
from ride r left join quote q on q.id = r.quote_id left join ride_settlement s on s.ride_id = r.id
where r.id = any($1)
"""
_SHARES = """
select v.id as policy_version_id, v.value, v.effective_from, v.source, t.tallied_at,
  t.election_id, p.id as proposal_id, p.title
from policy_version v left join tally t on t.id = v.tally_id
left join election e on e.id = t.election_id left join proposal p on p.id = e.proposal_id
where v.id = any($1) order by v.effective_from, v.id
"""


@asynccontextmanager
async def one_moment(reader: Transaction) -> AsyncIterator[None]:
    """Let all statements of the block see the books of one moment."""
    async with reader.connection.transaction(isolation="repeatable_read", readonly=True):
        yield


async def find_time_zone(reader: Transaction) -> str:
    """Return the name of the cooperative's time zone."""
    return str(await reader.value("select time_zone from cooperative"))


async def find_driver(reader: Transaction, *, member_id: UUID) -> Any | None:
    """Return account_id, currency, the member's and the cooperative's name, and known_at; or None.

    None is for whoever has no account as a driver.
    """
    return await reader.row(
        "select a.id as account_id, a.currency, m.name as driver_name, c.name as cooperative,"
        " c.time_zone, statement_timestamp() as known_at"
        " from account a join member m on m.id = a.member_id cross join cooperative c"
        " where a.member_id = $1 and a.kind = 'driver'",
        member_id,
    )


async def list_lines(
    reader: Transaction, *, account_id: UUID, since: datetime, until: datetime, limit: int
) -> list[Any]:
    """Return what moved an account in [since, until), in order, above zero what reached it."""
    return await reader.rows(
        f"select {_LINE_COLUMNS} from ({LINES}) as line where account_id = $1"
        " and effective_at >= $2 and effective_at < $3"
        " order by effective_at, journal_id, line limit $4",
        account_id,
        since,
        until,
        limit,
    )


async def balance_before(reader: Transaction, *, account_id: UUID, at: datetime) -> int:
    """Return what an account held by all that concerns a time before a moment."""
    return int(await reader.value(_OPENING, account_id, at))


async def list_rides(reader: Transaction, *, ride_ids: Collection[UUID]) -> list[Any]:
    """Return what a statement shows of these rides beside their money."""
    return await reader.rows(_RIDES, ride_ids)


async def list_shares(reader: Transaction, *, version_ids: Collection[UUID]) -> list[Any]:
    """Return these policies and the votes that set them."""
    return await reader.rows(_SHARES, version_ids)


async def list_shifts(
    reader: Transaction, *, driver_id: UUID, since: datetime, until: datetime
) -> list[Any]:
    """Return started_at and ended_at of the driver's shifts that touch [since, until)."""
    return await reader.rows(
        "select started_at, ended_at from shift where driver_id = $1 and started_at < $3"
        " and (ended_at is null or ended_at > $2)",
        driver_id,
        since,
        until,
    )


async def list_ride_times(
    reader: Transaction, *, driver_id: UUID, since: datetime, until: datetime
) -> list[Any]:
    """Return assigned_at, started_at and ended_at of the driver's rides that touch it."""
    return await reader.rows(
        "select assigned_at, started_at, ended_at from ride where driver_id = $1"
        " and assigned_at < $3 and (ended_at is null or ended_at > $2)",
        driver_id,
        since,
        until,
    )


# All that is booked for a ride, and what took it back.
_MOVEMENTS = """
with own as (
  select id from journal where subject_id = $1
  union select journal_id from tip where ride_id = $1
  union select d.journal_id from dispute_decision d join dispute on dispute.id = d.dispute_id
    where dispute.ride_id = $1 and d.journal_id is not null
), whole as (
  select id from own union select j.id from journal j join own on own.id = j.reverses
)
select j.id as journal_id, j.kind, undone.kind as undone_kind, why.reason, j.effective_at,
  d.kind as debit_kind,
  d.kind = 'rider' and d.member_id = $2 as debit_own, c.kind as credit_kind,
  c.kind = 'rider' and c.member_id = $2 as credit_own, t.amount_minor
from whole join journal j on j.id = whole.id join transfer t on t.journal_id = j.id
join account d on d.id = t.debit_id join account c on c.id = t.credit_id
left join journal undone on undone.id = j.reverses
left join journal_reason why on why.journal_id = j.id
order by j.effective_at, j.id, t.line
"""
# The driver's name and the car as riders saw them.
_RECEIPT = """
select r.id as ride_id, r.started_at, r.ended_at, q.pickup_name, q.dropoff_name, q.distance_m,
  q.currency, split_part(driver.name, ' ', 1) as driver_name,
  concat_ws(' ', v.make, v.model, v.plate) as car, c.name as cooperative, c.time_zone,
  s.kind, s.items, s.vat_bp, s.vat_minor, s.vat_remitted_by, s.policy_version_id, s.journal_id,
  s.settled_at
from ride r join quote q on q.id = r.quote_id cross join cooperative c
left join member driver on driver.id = r.driver_id left join vehicle v on v.id = r.vehicle_id
left join ride_settlement s on s.ride_id = r.id
where r.id = $1 and r.rider_id = $2
"""


async def find_guest(reader: Transaction, *, ride_id: UUID) -> UUID | None:
    """Return whose ride it is that a dispatcher booked; None where a rider booked it."""
    rider_id: UUID | None = await reader.value(
        "select r.rider_id from ride r join guest_ride g on g.ride_id = r.id where r.id = $1",
        ride_id,
    )
    return rider_id


async def find_receipt(reader: Transaction, *, ride_id: UUID, rider_id: UUID) -> Any | None:
    """Return what a receipt says beside the money; None unless it is this rider's own ride."""
    return await reader.row(_RECEIPT, ride_id, rider_id)


async def list_movements(reader: Transaction, *, ride_id: UUID, rider_id: UUID) -> list[Any]:
    """Return every line that was booked for a ride, and whether it is on the rider's account."""
    return await reader.rows(_MOVEMENTS, ride_id, rider_id)


async def list_payments(reader: Transaction, *, ride_id: UUID) -> list[Any]:
    """Return method, state and amount of what is paid for a ride, the ride itself first.

    What another payment took the place of is not among them.
    """
    return await reader.rows(
        "select method, state, amount_minor from payment p where ride_id = $1"
        " and amount_minor > 0 and state <> 'voided' and not exists (select from payment by_card"
        "  where by_card.ride_id = p.ride_id and by_card.key = 'retry:' || p.id"
        "  and by_card.state not in ('failed', 'voided')) order by kind desc, id",
        ride_id,
    )


_OTHER_ACCOUNTS = """
select a.kind,
  coalesce(sum(line.minor) filter (where line.at < $2), 0)::bigint as opening_minor,
  coalesce(sum(line.minor) filter (where line.at >= $2 and line.minor > 0), 0)::bigint
    as credits_minor,
  coalesce(-sum(line.minor) filter (where line.at >= $2 and line.minor < 0), 0)::bigint
    as debits_minor
from account a left join lateral (
  select j.effective_at as at,
    case when t.credit_id = a.id then t.amount_minor else -t.amount_minor end as minor
  from transfer t join journal j on j.id = t.journal_id
  where a.id in (t.credit_id, t.debit_id) and j.effective_at < $3) as line on true
where a.member_id = $1 and a.kind in ('member_capital', 'member_share')
group by a.kind order by a.kind
"""
_REFUNDS = """
select p.since, p.until, j.effective_at as allotted_at, r.commission_minor, r.engaged_s,
  r.cash_minor, r.capital_minor
from member_refund r join surplus_period p on p.id = r.period_id
join journal j on j.id = r.journal_id
where r.member_id = $1 and j.effective_at >= $2 and j.effective_at < $3 order by j.id
"""


async def list_other_accounts(
    reader: Transaction, *, member_id: UUID, since: datetime, until: datetime
) -> list[Any]:
    """Return what a member's share and capital held before a period, and what moved them in it."""
    return await reader.rows(_OTHER_ACCOUNTS, member_id, since, until)


async def list_refunds(
    reader: Transaction, *, member_id: UUID, since: datetime, until: datetime
) -> list[Any]:
    """Return what a member was allotted of surpluses in a period, the oldest first."""
    return await reader.rows(_REFUNDS, member_id, since, until)


_INVOICE = """
select i.id, i.number, i.month, i.client_id, c.name, c.billing_address, c.vat_number, a.currency,
  i.total_minor, i.issued_at, i.due_on, i.paid_at, house.name as cooperative, house.time_zone
from invoice i join contract_client c on c.id = i.client_id
join account a on a.id = c.account_id cross join cooperative house where i.id = $1
"""
# What of a fare bears the tax is what the driver and the cooperative keep, with the tax itself.
_CHARGES = """
select p.ride_id, x.amount_minor, q.pickup_name, q.dropoff_name, g.reference,
  case when x.amount_minor < 0 then 'back' when p.key like 'tip:%' then 'tip'
    when p.kind = 'extra' then 'later' when s.kind = 'fee' then 'fee' else 'ride' end as what,
  case when p.kind = 'ride' and x.amount_minor > 0 then coalesce(r.started_at, x.booked_at)
    else x.booked_at end as at,
  coalesce(s.fare_minor, 0) as fare_minor, coalesce(s.vat_bp, 0) as vat_bp,
  coalesce(s.vat_minor, 0) as vat_minor, coalesce(s.vat_remitted_by, 'nobody') as vat_remitted_by,
  coalesce(s.fare_minor - s.pass_through_minor
    + case when s.vat_remitted_by = 'cooperative' then s.vat_minor else 0 end, 0) as taxed_minor
from client_charge x join payment p on p.id = x.payment_id join ride r on r.id = p.ride_id
join quote q on q.id = r.quote_id left join ride_settlement s on s.ride_id = r.id
left join guest_ride g on g.ride_id = r.id
where x.invoice_id = $1 order by x.booked_at, x.id
"""


async def find_invoice(reader: Transaction, *, invoice_id: UUID) -> Any | None:
    """Return what an invoice says beside its rides, or None."""
    return await reader.row(_INVOICE, invoice_id)


async def list_charges(reader: Transaction, *, invoice_id: UUID) -> list[Any]:
    """Return what is on an invoice, and how the rides were settled and taxed, in order."""
    return await reader.rows(_CHARGES, invoice_id)
