"""Invariants of payments, each as one statement: what was paid is what is booked, to the cent."""

UNIQUE_INDEXES = (
    "one_payment_per_ride",
    "an_extra_is_charged_once",
    "a_reference_is_of_one_payment",
    "a_command_is_given_once",
    "commands_of_a_payment_have_an_order",
    "provider_event_pkey",
    "one_default_method_per_member",
    "a_token_is_one_members",
    "a_settlement_is_booked_once",
    "a_journal_is_of_one_settlement",
    "one_client_pays_for_a_rider",
    "an_invoice_has_its_own_number",
    "one_invoice_per_client_and_month",
    "a_journal_pays_one_invoice",
    "a_journal_is_of_one_charge",
)
CONSTRAINTS = (
    "tokens_are_no_card_numbers",
    "labels_are_no_card_numbers",
    "riders_pay_by_their_own_cards",
    "failures_have_a_time",
    "refunds_were_captured",
    "reinstated_was_withdrawn",
    "captured_payments_have_an_amount",
    "cards_have_a_provider",
    "invoices_have_a_client",
    "paid_invoices_have_a_journal",
)
APPEND_ONLY = ("provider_event", "card_settlement", "cash_rule")

# Captured, less what went back and what a bank holds: as the journals of this payment say, whoever
# bore them. Cash is with the driver, an invoice with the client, a card's money with its provider.
PAYMENTS_ARE_BOOKED = """
select case when p.id is null then 'journals were posted for ' || b.subject_id || ', no payment'
    when coalesce(b.minor, 0) <> p.captured_minor - p.refunded_minor - p.withdrawn_minor
      + p.reinstated_minor
    then 'payment ' || p.id || ' stands at ' || p.captured_minor - p.refunded_minor
      - p.withdrawn_minor + p.reinstated_minor || ' and is booked at ' || coalesce(b.minor, 0)
    end as fault
from payment p
full join (
  select j.subject_id, sum(case
      when d.kind in ('card_clearing', 'driver', 'contract_client') then t.amount_minor
      when c.kind in ('card_clearing', 'driver', 'contract_client') then -t.amount_minor
      else 0 end) as minor
  from journal j join transfer t on t.journal_id = j.id
  join account d on d.id = t.debit_id join account c on c.id = t.credit_id
  where j.kind in ('card_capture', 'card_refund', 'chargeback', 'cash_taken', 'invoice_issued')
  group by j.subject_id) as b on b.subject_id = p.id
"""

RIDES_ARE_PAID_AS_SETTLED = """
select case when p.id is not null and p.amount_minor + coalesce((
      select sum(x.amount_minor) from payment x
      where x.ride_id = p.ride_id and x.kind = 'extra' and x.key = 'above'), 0) <> s.fare_minor
    then 'ride ' || s.ride_id || ' was settled at ' || s.fare_minor || ' and is to be paid '
      || p.amount_minor end as fault
from ride_settlement s left join payment p on p.ride_id = s.ride_id and p.kind = 'ride'
"""

# What a rule once allowed may still be owed. Without any rule it is what the migration says.
CASH_OWED_IS_LIMITED = """
select case when b.lowest_minor < -most.minor
    then 'account ' || a.id || ' may owe ' || -b.lowest_minor || ', no rule ever allowed that' end
    as fault
from account a join balance b on b.account_id = a.id
cross join (select greatest(20000, max(limit_minor)) as minor from cash_rule) as most
where a.kind = 'driver'
"""

INVOICES_ADD_UP = """
select case when coalesce(max(number), 0) <> count(*)
    then 'invoices are numbered up to ' || max(number) || ' and there are ' || count(*) end as fault
from invoice
union all
select case when i.total_minor <> coalesce(sum(x.amount_minor), 0)
    then 'invoice ' || i.number || ' asks for ' || i.total_minor || ', its lines are '
      || coalesce(sum(x.amount_minor), 0) end
from invoice i left join client_charge x on x.invoice_id = i.id group by i.id
"""

# A card's number has 12 digits or more; a token of a provider and a label have not.
NO_CARD_NUMBER_IS_STORED = """
select case when count(*) > 0 then count(*) || ' cards hold what looks like a number' end as fault
from payment_method where token ~ '[0-9]{12}' or label ~ '[0-9]([ -]?[0-9]){4}'
"""

PAYMENTS_ARE_GUARDED = """
select case when t.oid is null then 'table ' || wanted.name || ' lost its guard ' || guard.name
    when t.tgenabled not in ('O', 'A')
    then 'the guard ' || guard.name || ' of table ' || wanted.name || ' is switched off' end
    as fault
from (values ('payment'), ('payment_command'), ('contract_client'), ('contract_rider'),
  ('invoice'), ('client_charge')) as wanted(name)
cross join lateral (values (wanted.name || '_keeps_its_history'),
                           (wanted.name || '_is_never_deleted'),
                           (wanted.name || '_is_never_emptied')) as guard(name)
left join pg_trigger t on t.tgname = guard.name
  and t.tgrelid = to_regclass('public.' || wanted.name)
"""
