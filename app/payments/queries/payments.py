"""Statements about payments, their commands and the accounts that they move money between."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction
from app.payments.rules import Act, CommandState, Kind, Method, PaymentState

# Every account that a payment may touch, by the ids of those whose they are.
_ACCOUNTS = """
select
  (select id from account where kind = 'rider' and member_id = $1) as rider,
  (select id from account where kind = 'driver' and member_id = $2) as driver,
  (select id from account where kind = 'contract_client' and partner_id = $3) as client,
  (select id from account where kind = 'card_clearing' and member_id is null
     and partner_id is null) as card_clearing,
  (select id from account where kind = 'platform_costs' and member_id is null
     and partner_id is null) as platform_costs,
  (select id from account where kind = 'bank' and member_id is null
     and partner_id is null) as bank
"""


async def accounts(
    reader: Transaction,
    *,
    rider_id: UUID | None = None,
    driver_id: UUID | None = None,
    client_id: UUID | None = None,
) -> Any:
    """Return the ids rider, driver, client, card_clearing, platform_costs and bank of accounts."""
    return await reader.row(_ACCOUNTS, rider_id, driver_id, client_id)


async def pickup_from(reader: Transaction, *, ride_id: UUID) -> datetime | None:
    """Return when a ride that was booked ahead is wanted; None for a ride now."""
    moment: datetime | None = await reader.value(
        "select pickup_from from ride where id = $1", ride_id
    )
    return moment


async def default_method(reader: Transaction, *, member_id: UUID) -> Any | None:
    """Return id and provider of the card a member pays with, or None."""
    return await reader.row(
        "select id, provider from payment_method where member_id = $1 and removed_at is null"
        " order by is_default desc, id desc limit 1",
        member_id,
    )


async def client_of(reader: Transaction, *, rider_id: UUID) -> UUID | None:
    """Return the client who pays for this rider, or None."""
    client_id: UUID | None = await reader.value(
        "select c.id from contract_rider r join contract_client c on c.id = r.client_id"
        " where r.rider_id = $1 and r.ended_at is null and c.ended_at is null",
        rider_id,
    )
    return client_id


async def is_open_client(reader: Transaction, *, client_id: UUID) -> bool:
    """Return whether there is such a client, whose contract has not ended."""
    return bool(
        await reader.value(
            "select exists (select from contract_client where id = $1 and ended_at is null)",
            client_id,
        )
    )


async def insert_payment(
    tx: Transaction,
    *,
    payment_id: UUID,
    ride_id: UUID,
    rider_id: UUID,
    kind: Kind,
    key: str | None,
    method: Method,
    amount_minor: int,
    payment_method_id: UUID | None = None,
    provider: str | None = None,
    client_id: UUID | None = None,
    hold_id: UUID | None = None,
    now: datetime,
) -> bool:
    """Enter a payment that is wanted; False where there is one under this key."""
    return bool(
        await tx.value(
            "insert into payment (id, ride_id, rider_id, kind, key, method, state, amount_minor,"
            " payment_method_id, provider, client_id, hold_id, begun_at)"
            " values ($1, $2, $3, $4, $5, $6, 'wanted', $7, $8, $9, $10, $11, $12)"
            " on conflict (ride_id, key) where kind = 'extra' do nothing returning true",
            payment_id,
            ride_id,
            rider_id,
            kind,
            key,
            method,
            amount_minor,
            payment_method_id,
            provider,
            client_id,
            hold_id,
            now,
        )
    )


async def lock_ride_payment(tx: Transaction, *, ride_id: UUID) -> Any | None:
    """Return the ride's own payment, and let nobody else change it meanwhile; None without one."""
    return await tx.row(
        "select * from payment where ride_id = $1 and kind = 'ride' for no key update", ride_id
    )


async def lock_payment(tx: Transaction, *, payment_id: UUID) -> Any | None:
    """Return a payment, and let nobody else change it meanwhile; None if there is no such."""
    return await tx.row("select * from payment where id = $1 for no key update", payment_id)


async def lock_paid(tx: Transaction, *, ride_id: UUID, rider_id: UUID) -> list[Any]:
    """Return a rider's payments of a ride of which something can go back, the newest first, locked.

    `refundable_minor` is what was captured, or is about to be, and neither went back nor is about
    to.
    """
    rows = await tx.rows(
        "select p.*, greatest(p.captured_minor, told.capture_minor) - p.withdrawn_minor"
        " + p.reinstated_minor - greatest(p.refunded_minor, told.refund_minor) as refundable_minor"
        " from payment p cross join lateral ("
        " select coalesce(sum(c.amount_minor) filter (where c.act = 'capture'), 0)::bigint"
        "  as capture_minor, coalesce(sum(c.amount_minor) filter (where c.act = 'refund'), 0)"
        "  ::bigint as refund_minor"
        " from payment_command c where c.payment_id = p.id and c.state in ('due', 'done')) as told"
        " where p.ride_id = $1 and p.rider_id = $2 and p.state <> 'failed' order by p.id desc"
        " for no key update of p",
        ride_id,
        rider_id,
    )
    return [row for row in rows if row["refundable_minor"] > 0]


async def refunded_before(reader: Transaction, *, ride_id: UUID, key: str) -> bool:
    """Return whether money of this ride went, or is about to go, back under this key."""
    return bool(
        await reader.value(
            "select exists (select from payment p join payment_command c on c.payment_id = p.id"
            " where p.ride_id = $1 and c.key = p.id || ':refund:' || $2) or exists (select from"
            " payment p join journal j on j.idem_scope = 'invoice_refund'"
            " and j.idem_key = p.id || ':' || $2 where p.ride_id = $1)",
            ride_id,
            key,
        )
    )


# What the books say of a ride and its payments, but for the fund, whom the rider owes it then;
# less what a card is being asked for.
_OWED = """
with own as (
  select id from journal where subject_id = $1
  union select j.id from payment p join journal j on j.subject_id = p.id where p.ride_id = $1),
whole as (select id from own union select j.id from own join journal j on j.reverses = own.id)
select coalesce(sum(case when t.debit_id = a.id then t.amount_minor else -t.amount_minor end), 0)
  - (select coalesce(sum(amount_minor), 0) from payment where ride_id = $1 and rider_id = $2
     and method = 'card' and state in ('wanted', 'authorised'))
from whole join journal j on j.id = whole.id
  and j.kind not in ('solidarity_payment', 'solidarity_contribution')
join transfer t on t.journal_id = j.id join account a on a.id in (t.debit_id, t.credit_id)
  and a.kind = 'rider' and a.member_id = $2
"""


async def owed_for_ride(reader: Transaction, *, ride_id: UUID, rider_id: UUID) -> int:
    """Return what a rider still owes for a ride and no card is asked for; below 0: is owed less."""
    return int(await reader.value(_OWED, ride_id, rider_id))


async def owed_to_fund(reader: Transaction, *, rider_id: UUID) -> int:
    """Return what the solidarity fund paid of a rider's failed payments and has not got back."""
    return int(
        await reader.value(
            "select coalesce(sum(g.covered_minor - coalesce(back.minor, 0)), 0) from guarantee g"
            " left join lateral (select sum(amount_minor) as minor from guarantee_return r"
            "  where r.payment_id = g.payment_id) as back on true where g.rider_id = $1",
            rider_id,
        )
    )


async def update_payment(
    tx: Transaction,
    *,
    payment_id: UUID,
    state: PaymentState,
    amount_minor: int | None = None,
    captured_minor: int = 0,
    refunded_minor: int = 0,
    failure: str | None = None,
    now: datetime,
) -> None:
    """Take a payment to a state. Its amount stays without a new one; paid sums grow by these."""
    await tx.execute(
        "update payment set state = $2, amount_minor = coalesce($3, amount_minor),"
        " captured_minor = captured_minor + $4, refunded_minor = refunded_minor + $5,"
        " failure = coalesce($6, failure),"
        " failed_at = case when $2 = 'failed' then coalesce(failed_at, $7) end where id = $1",
        payment_id,
        state,
        amount_minor,
        captured_minor,
        refunded_minor,
        failure,
        now,
    )


async def keep_hold(tx: Transaction, *, payment_id: UUID, hold_id: UUID | None) -> None:
    """Write down what is set aside for a payment; None: nothing any more."""
    await tx.execute("update payment set hold_id = $2 where id = $1", payment_id, hold_id)


async def give_command(
    tx: Transaction,
    *,
    command_id: UUID,
    payment_id: UUID,
    act: Act,
    key: str,
    amount_minor: int,
    due_at: datetime,
    hold_id: UUID | None = None,
) -> bool:
    """Let a worker ask the provider for something; False where it was asked before by this key.

    The payment is locked by the caller, so its commands have an order.
    """
    return bool(
        await tx.value(
            "insert into payment_command (id, payment_id, seq, act, key, amount_minor, state,"
            " due_at, attempts, hold_id) select $1, $2, coalesce(max(seq), 0) + 1, $3, $4, $5,"
            " 'due', $6, 0, $7 from payment_command where payment_id = $2"
            " on conflict (key) do nothing returning true",
            command_id,
            payment_id,
            act,
            key,
            amount_minor,
            due_at,
            hold_id,
        )
    )


async def drop_unsent(tx: Transaction, *, payment_id: UUID, now: datetime) -> int:
    """Drop the commands of a payment that were never sent; return how many are under way."""
    await tx.execute(
        "update payment_command set state = $3, ended_at = $2"
        " where payment_id = $1 and state = 'due' and attempts = 0",
        payment_id,
        now,
        CommandState.DROPPED,
    )
    # A statement of its own: what a worker took at this moment is seen only now.
    return int(
        await tx.value(
            "select count(*) from payment_command where payment_id = $1 and state = 'due'",
            payment_id,
        )
    )


async def hasten(tx: Transaction, *, payment_id: UUID, now: datetime) -> None:
    """Let what waits for a later moment and was never sent be sent now."""
    await tx.execute(
        "update payment_command set due_at = least(due_at, $2) where payment_id = $1"
        " and state = 'due' and attempts = 0",
        payment_id,
        now,
    )


async def place_hold(
    tx: Transaction, *, hold_id: UUID, account_id: UUID, amount_minor: int, now: datetime
) -> None:
    """Set money of an account aside."""
    await tx.execute("select place_hold($1, $2, $3, $4)", hold_id, account_id, amount_minor, now)


async def let_driver_owe(tx: Transaction, *, driver_id: UUID) -> None:
    """Let a driver's account go below zero, as far as the cash rule in force says."""
    await tx.execute("select let_driver_owe($1)", driver_id)


async def add_charge(
    tx: Transaction,
    *,
    charge_id: UUID,
    payment_id: UUID,
    amount_minor: int,
    journal_id: int,
    now: datetime,
) -> None:
    """Write down what a client took over (below zero: got back), for the next invoice; once."""
    await tx.execute(
        "insert into client_charge (id, client_id, payment_id, amount_minor, journal_id, booked_at)"
        " select $1, client_id, id, $3, $4, $5 from payment where id = $2"
        " on conflict (journal_id) do nothing",
        charge_id,
        payment_id,
        amount_minor,
        journal_id,
        now,
    )


async def insert_settlement(
    tx: Transaction,
    *,
    settlement_id: UUID,
    provider: str,
    reference: str,
    gross_minor: int,
    fee_minor: int,
    journal_id: int,
    booked_by: UUID,
    now: datetime,
) -> Any:
    """Enter what a provider paid to the bank, and return it as it is shown."""
    return await tx.row(
        "insert into card_settlement (id, provider, reference, gross_minor, fee_minor, journal_id,"
        " booked_by, booked_at) values ($1, $2, $3, $4, $5, $6, $7, $8) returning id, provider,"
        " reference, gross_minor, fee_minor, booked_at",
        settlement_id,
        provider,
        reference,
        gross_minor,
        fee_minor,
        journal_id,
        booked_by,
        now,
    )


async def insert_cash_rule(
    tx: Transaction, *, rule_id: UUID, limit_minor: int, set_by: UUID, now: datetime
) -> None:
    """Enter how much drivers may owe of cash from now on."""
    await tx.execute(
        "insert into cash_rule (id, limit_minor, set_by, set_at) values ($1, $2, $3, $4)",
        rule_id,
        limit_minor,
        set_by,
        now,
    )
