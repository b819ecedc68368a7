"""Take payments by card, in cash and on account.

Revision: take_payments
Follows: care_after_a_ride
"""

import sqlalchemy as sa
from alembic import op

revision = "take_payments"
down_revision = "care_after_a_ride"
branch_labels = None
depends_on = None

STEPS = (
    "('wanted', 'authorised'), ('wanted', 'on_account'), ('authorised', 'on_account'),"
    " ('wanted', 'captured'), ('authorised', 'captured'), ('failed', 'captured'),"
    " ('voided', 'captured'), ('charged_back', 'captured'), ('wanted', 'refunded'),"
    " ('authorised', 'refunded'), ('captured', 'refunded'), ('failed', 'refunded'),"
    " ('voided', 'refunded'), ('wanted', 'charged_back'), ('authorised', 'charged_back'),"
    " ('captured', 'charged_back'), ('failed', 'charged_back'), ('refunded', 'charged_back'),"
    " ('voided', 'charged_back'), ('charged_back', 'refunded'),"
    " ('wanted', 'voided'), ('authorised', 'voided'), ('failed', 'voided'),"
    " ('wanted', 'failed'), ('authorised', 'failed')"
)
# What the program may do with each table; nobody deletes from any of them.
RIGHTS = {
    "contract_client": "insert, update (ended_at)",
    "contract_rider": "insert, update (ended_at)",
    "invoice": "insert, update (paid_by, paid_at, paid_journal_id)",
    "payment_method": "insert, update (is_default, removed_at)",
    "payment": "insert, update (state, amount_minor, reference, hold_id, authorised_minor,"
    " captured_minor, refunded_minor, withdrawn_minor, reinstated_minor, looked_at, failed_at,"
    " failure)",
    "payment_command": "insert, update (state, due_at, attempts, ended_at, answer)",
    "provider_event": "insert",
    "card_settlement": "insert",
    "client_charge": "insert, update (invoice_id)",
    "cash_rule": "insert",
}
APPEND_ONLY = ("provider_event", "card_settlement", "cash_rule")
KEPT = ("contract_client", "contract_rider", "invoice", "client_charge")
DEFAULT_CASH_LIMIT_MINOR = 20_000

KEEP_PAYMENTS = f"""
create function keep_payments() returns trigger language plpgsql set search_path = public as $$
begin
  if old.state <> new.state and (old.state, new.state) not in ({STEPS}) then
    raise exception 'a payment never goes from % to %', old.state, new.state
      using errcode = 'MN032';
  end if;
  if new.authorised_minor < old.authorised_minor or new.captured_minor < old.captured_minor
      or new.refunded_minor < old.refunded_minor or new.withdrawn_minor < old.withdrawn_minor
      or new.reinstated_minor < old.reinstated_minor then
    raise exception 'what a provider said of a payment only grows' using errcode = 'MN033';
  end if;
  if new.reference is distinct from old.reference and old.reference is not null then
    raise exception 'a payment keeps the name its provider gave it' using errcode = 'MN034';
  end if;
  return new;
end $$
"""

KEEP_COMMANDS = """
create function keep_payment_commands() returns trigger language plpgsql
set search_path = public as $$
begin
  if old.state <> 'due' or new.attempts < old.attempts then
    raise exception 'a command to a provider ends once' using errcode = 'MN035';
  end if;
  return new;
end $$
"""

# How much more a driver may take in cash now, in minor units; also where the account has not been
# let below zero yet.
CASH_ROOM = """
create function cash_room(driver uuid) returns bigint language sql stable
set search_path = public as $$
  select b.posted_minor - b.held_minor + coalesce(
      (select limit_minor from cash_rule order by set_at desc, id desc limit 1),
      {limit})
    from account a join balance b on b.account_id = a.id
    where a.kind = 'driver' and a.member_id = driver
$$
"""

# The program cannot choose the limit: it is the rule in force. Who owes more than a new rule
# allows keeps what there is, and can take no more.
LET_DRIVER_OWE = """
create function let_driver_owe(driver uuid) returns void language sql security definer
set search_path = public as $$
  with rule as (select -coalesce(
      (select limit_minor from cash_rule order by set_at desc, id desc limit 1),
      {limit}) as lowest)
  update balance b set lowest_minor = least(rule.lowest, b.posted_minor - b.held_minor)
    from account a, rule
    where a.id = b.account_id and a.kind = 'driver' and a.member_id = driver
      and b.lowest_minor <> least(rule.lowest, b.posted_minor - b.held_minor)
$$
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    _create_contract_client()
    _create_contract_rider()
    _create_invoice()
    _create_payment_method()
    _create_payment()
    _create_payment_command()
    _create_provider_event()
    _create_card_settlement()
    _create_client_charge()
    _create_cash_rule()
    for function in (KEEP_PAYMENTS, KEEP_COMMANDS):
        op.execute(function)
    for function in (CASH_ROOM, LET_DRIVER_OWE):
        op.execute(function.format(limit=DEFAULT_CASH_LIMIT_MINOR))
    op.execute(
        "revoke execute on function keep_payments(), keep_payment_commands(), cash_room(uuid),"
        " let_driver_owe(uuid) from public"
    )
    op.execute("grant execute on function cash_room(uuid), let_driver_owe(uuid) to meent_app")
    _guard()


def downgrade() -> None:
    for table in (
        "cash_rule",
        "client_charge",
        "card_settlement",
        "provider_event",
        "payment_command",
        "payment",
        "payment_method",
        "invoice",
        "contract_rider",
        "contract_client",
    ):
        op.drop_table(table)
    for function in (
        "let_driver_owe(uuid)",
        "cash_room(uuid)",
        "keep_payment_commands()",
        "keep_payments()",
    ):
        op.execute(f"drop function {function}")


def _guard() -> None:
    for table, rights in RIGHTS.items():
        op.execute(f"grant select, {rights} on {table} to meent_app")
        op.execute(
            f"create trigger {table}_is_never_emptied before truncate on {table}"
            " for each statement execute function refuse_change()"
        )
        change = "update or delete" if table in APPEND_ONLY else "delete"
        name = "is_append_only" if table in APPEND_ONLY else "is_never_deleted"
        op.execute(
            f"create trigger {table}_{name} before {change} on {table}"
            " for each row execute function refuse_change()"
        )
    for table in KEPT:
        op.execute(
            f"create trigger {table}_keeps_its_history before update on {table}"
            " for each row execute function keep_history()"
        )
    for table, function in (
        ("payment", "keep_payments"),
        ("payment_command", "keep_payment_commands"),
    ):
        op.execute(
            f"create trigger {table}_keeps_its_history before update on {table}"
            f" for each row execute function {function}()"
        )


def _create_contract_client() -> None:
    op.create_table(
        "contract_client",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("billing_address", sa.Text(), nullable=False),
        sa.Column("vat_number", sa.Text(), nullable=True),
        sa.Column("limit_minor", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("opened_by", sa.Uuid(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("ended_at >= opened_at", name="contracts_end_later"),
        sa.CheckConstraint(
            "length(billing_address) between 1 and 500", name="clients_have_an_address"
        ),
        sa.CheckConstraint("length(name) between 1 and 120", name="clients_have_a_name"),
        sa.CheckConstraint(
            "length(vat_number) between 4 and 20", name="vat_numbers_have_their_form"
        ),
        sa.CheckConstraint("limit_minor > 0", name="clients_have_a_limit"),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.ForeignKeyConstraint(
            ["opened_by"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account_id", name="an_account_is_one_clients"),
    )


def _create_contract_rider() -> None:
    op.create_table(
        "contract_rider",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("rider_id", sa.Uuid(), nullable=False),
        sa.Column("authorised_by", sa.Uuid(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("ended_at >= since", name="clients_stop_paying_later"),
        sa.ForeignKeyConstraint(
            ["authorised_by"],
            ["member.id"],
        ),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["contract_client.id"],
        ),
        sa.ForeignKeyConstraint(
            ["rider_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("contract_rider_by_client", "contract_rider", ["client_id"], unique=False)
    op.create_index(
        "one_client_pays_for_a_rider",
        "contract_rider",
        ["rider_id"],
        unique=True,
        postgresql_where=sa.text("ended_at is null"),
    )


def _create_invoice() -> None:
    op.create_table(
        "invoice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("issued_by", sa.Uuid(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paid_by", sa.Uuid(), nullable=True),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paid_journal_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(paid_at is null) = (paid_journal_id is null) and (paid_at is null) = (paid_by is null)",
            name="paid_invoices_have_a_journal",
        ),
        sa.CheckConstraint("due_on > month", name="invoices_are_due_after_their_month"),
        sa.CheckConstraint("extract(day from month) = 1", name="invoices_are_of_whole_months"),
        sa.CheckConstraint("number > 0", name="invoices_are_numbered_from_one"),
        sa.CheckConstraint("total_minor > 0", name="invoices_ask_for_something"),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["contract_client.id"],
        ),
        sa.ForeignKeyConstraint(
            ["issued_by"],
            ["member.id"],
        ),
        sa.ForeignKeyConstraint(
            ["paid_by"],
            ["member.id"],
        ),
        sa.ForeignKeyConstraint(
            ["paid_journal_id"],
            ["journal.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("client_id", "month", name="one_invoice_per_client_and_month"),
        sa.UniqueConstraint("number", name="an_invoice_has_its_own_number"),
        sa.UniqueConstraint("paid_journal_id", name="a_journal_pays_one_invoice"),
    )


def _create_payment_method() -> None:
    op.create_table(
        "payment_method",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "length(label) between 1 and 60 and label !~ '[0-9]([ -]?[0-9]){4}'",
            name="labels_are_no_card_numbers",
        ),
        sa.CheckConstraint(
            "token ~ '^[a-z]{2,8}_[A-Za-z0-9_]{1,200}$' and token !~ '[0-9]{12}'",
            name="tokens_are_no_card_numbers",
        ),
        sa.CheckConstraint(
            "not is_default or removed_at is null", name="removed_methods_are_no_default"
        ),
        sa.CheckConstraint("removed_at >= added_at", name="methods_are_removed_later"),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("id", "member_id", name="methods_are_one_members"),
    )
    op.create_index(
        "a_token_is_one_members",
        "payment_method",
        ["provider", "token"],
        unique=True,
        postgresql_where=sa.text("removed_at is null"),
    )
    op.create_index(
        "one_default_method_per_member",
        "payment_method",
        ["member_id"],
        unique=True,
        postgresql_where=sa.text("is_default"),
    )
    op.create_index("payment_method_by_member", "payment_method", ["member_id", "id"], unique=False)


def _create_payment() -> None:
    op.create_table(
        "payment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ride_id", sa.Uuid(), nullable=False),
        sa.Column("rider_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("payment_method_id", sa.Uuid(), nullable=True),
        sa.Column("provider", sa.Text(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.Column("hold_id", sa.Uuid(), nullable=True),
        sa.Column("authorised_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("captured_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("refunded_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("withdrawn_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reinstated_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.CheckConstraint("(kind = 'extra') = (key is not null)", name="extras_have_a_key"),
        sa.CheckConstraint(
            "(method = 'card') = (provider is not null) and (method = 'card') = (payment_method_id is not null)",
            name="cards_have_a_provider",
        ),
        sa.CheckConstraint(
            "(method = 'invoice') = (client_id is not null)", name="invoices_have_a_client"
        ),
        sa.CheckConstraint(
            "(state = 'failed') = (failed_at is not null)", name="failures_have_a_time"
        ),
        sa.CheckConstraint("kind in ('ride', 'extra')", name="payment_kinds_are_known"),
        sa.CheckConstraint(
            "method in ('balance', 'card', 'cash', 'invoice')", name="payment_methods_are_known"
        ),
        sa.CheckConstraint("state <> 'failed' or failure is not null", name="failures_say_why"),
        sa.CheckConstraint(
            "state in ('wanted', 'authorised', 'on_account', 'captured', 'refunded', 'charged_back', 'voided', 'failed')",
            name="payment_states_are_known",
        ),
        sa.CheckConstraint(
            "state not in ('captured', 'refunded', 'charged_back') or captured_minor > 0",
            name="captured_payments_have_an_amount",
        ),
        sa.CheckConstraint("amount_minor >= 0", name="payments_are_not_negative"),
        sa.CheckConstraint(
            "authorised_minor >= 0 and captured_minor >= 0 and refunded_minor >= 0 and withdrawn_minor >= 0 and reinstated_minor >= 0",
            name="sums_of_payments_are_not_negative",
        ),
        sa.CheckConstraint("refunded_minor <= captured_minor", name="refunds_were_captured"),
        sa.CheckConstraint("reinstated_minor <= withdrawn_minor", name="reinstated_was_withdrawn"),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["contract_client.id"],
        ),
        sa.ForeignKeyConstraint(
            ["hold_id"],
            ["hold.id"],
        ),
        sa.ForeignKeyConstraint(
            ["payment_method_id", "rider_id"],
            ["payment_method.id", "payment_method.member_id"],
            name="riders_pay_by_their_own_cards",
        ),
        sa.ForeignKeyConstraint(
            ["ride_id"],
            ["ride.id"],
        ),
        sa.ForeignKeyConstraint(
            ["rider_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "a_reference_is_of_one_payment", "payment", ["provider", "reference"], unique=True
    )
    op.create_index(
        "an_extra_is_charged_once",
        "payment",
        ["ride_id", "key"],
        unique=True,
        postgresql_where=sa.text("kind = 'extra'"),
    )
    op.create_index(
        "one_payment_per_ride",
        "payment",
        ["ride_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'ride'"),
    )
    op.create_index("payment_by_method", "payment", ["payment_method_id"], unique=False)
    op.create_index("payment_by_rider", "payment", ["rider_id", "id"], unique=False)
    op.create_index(
        "payment_failed",
        "payment",
        ["failed_at"],
        unique=False,
        postgresql_where=sa.text("state = 'failed'"),
    )


def _create_payment_command() -> None:
    op.create_table(
        "payment_command",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("hold_id", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(state = 'due') = (ended_at is null)", name="commands_that_ended_have_a_time"
        ),
        sa.CheckConstraint(
            "act in ('authorise', 'capture', 'void', 'refund')", name="payment_acts_are_known"
        ),
        sa.CheckConstraint("amount_minor > 0 or act = 'void'", name="commands_move_something"),
        sa.CheckConstraint(
            "state in ('due', 'done', 'refused', 'dropped')",
            name="payment_command_states_are_known",
        ),
        sa.CheckConstraint("attempts between 0 and 100", name="commands_are_not_tried_for_ever"),
        sa.ForeignKeyConstraint(
            ["hold_id"],
            ["hold.id"],
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"],
            ["payment.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key", name="a_command_is_given_once"),
        sa.UniqueConstraint("payment_id", "seq", name="commands_of_a_payment_have_an_order"),
    )
    op.create_index(
        "payment_command_due",
        "payment_command",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'due'"),
    )


def _create_provider_event() -> None:
    op.create_table(
        "provider_event",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["payment_id"],
            ["payment.id"],
        ),
        sa.PrimaryKeyConstraint("provider", "event_id"),
    )
    op.create_index("provider_event_by_payment", "provider_event", ["payment_id"], unique=False)


def _create_card_settlement() -> None:
    op.create_table(
        "card_settlement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("gross_minor", sa.BigInteger(), nullable=False),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False),
        sa.Column("journal_id", sa.BigInteger(), nullable=False),
        sa.Column("booked_by", sa.Uuid(), nullable=False),
        sa.Column("booked_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "fee_minor >= 0 and fee_minor < gross_minor", name="fees_are_a_part_of_a_settlement"
        ),
        sa.CheckConstraint("gross_minor > 0", name="settlements_are_positive"),
        sa.ForeignKeyConstraint(
            ["booked_by"],
            ["member.id"],
        ),
        sa.ForeignKeyConstraint(
            ["journal_id"],
            ["journal.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("journal_id", name="a_journal_is_of_one_settlement"),
        sa.UniqueConstraint("provider", "reference", name="a_settlement_is_booked_once"),
    )


def _create_client_charge() -> None:
    op.create_table(
        "client_charge",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("journal_id", sa.BigInteger(), nullable=False),
        sa.Column("booked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("amount_minor <> 0", name="charges_are_of_something"),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["contract_client.id"],
        ),
        sa.ForeignKeyConstraint(
            ["invoice_id"],
            ["invoice.id"],
        ),
        sa.ForeignKeyConstraint(
            ["journal_id"],
            ["journal.id"],
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"],
            ["payment.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("journal_id", name="a_journal_is_of_one_charge"),
    )
    op.create_index("client_charge_by_invoice", "client_charge", ["invoice_id"], unique=False)
    op.create_index("client_charge_by_payment", "client_charge", ["payment_id"], unique=False)
    op.create_index(
        "client_charge_open",
        "client_charge",
        ["client_id"],
        unique=False,
        postgresql_where=sa.text("invoice_id is null"),
    )


def _create_cash_rule() -> None:
    op.create_table(
        "cash_rule",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("limit_minor", sa.BigInteger(), nullable=False),
        sa.Column("set_by", sa.Uuid(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("limit_minor >= 0", name="cash_limits_are_not_negative"),
        sa.ForeignKeyConstraint(
            ["set_by"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("cash_rule_by_time", "cash_rule", ["set_at"], unique=False)
