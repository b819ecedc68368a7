"""Open accounts for partners, for what a card provider holds and for what passes through.

Revision: open_partners_accounts
Follows: object_to_a_count
"""

import sqlalchemy as sa
from alembic import op

revision = "open_partners_accounts"
down_revision = "object_to_a_count"
branch_labels = None
depends_on = None

MEMBER = "'rider', 'driver', 'member_share', 'member_capital'"
OLD_HOUSE = (
    "'commission_income', 'bank', 'platform_costs', 'other_income', 'surplus',"
    " 'statutory_reserve', 'voted_reserve', 'education_fund', 'solidarity_fund',"
    " 'investment_pot', 'refunds_payable', 'payout_clearing'"
)
NEW_HOUSE = "'card_clearing', 'pass_through'"
PARTNERS = "'contract_client', 'peer_cooperative'"
OLD_JOURNALS = (
    "'ride_fare', 'reversal', 'member_share', 'platform_cost', 'other_income', 'tip', 'payout',"
    " 'payout_return', 'surplus_close', 'surplus_share', 'refund_allocation', 'loss_absorption',"
    " 'capital_redemption', 'solidarity_payment', 'adjustment'"
)
NEW_JOURNALS = (
    "'ride_fee', 'fare_share', 'pay_floor', 'card_capture', 'card_refund', 'chargeback',"
    " 'cash_taken', 'invoice_issued', 'invoice_paid', 'bad_debt', 'solidarity_contribution',"
    " 'peer_ride', 'peer_settlement', 'remittance'"
)
CHECKS = {
    ("account", "account_kinds_are_known"): (
        f"kind in ({MEMBER}, {OLD_HOUSE})",
        f"kind in ({MEMBER}, {OLD_HOUSE}, {NEW_HOUSE}, {PARTNERS})",
    ),
    ("account", "house_accounts_are_nobodys"): (
        f"(member_id is null) = (kind in ({OLD_HOUSE}))",
        f"(member_id is null and partner_id is null) = (kind in ({OLD_HOUSE}, {NEW_HOUSE}))",
    ),
    ("journal", "journal_kinds_are_known"): (
        f"kind in ({OLD_JOURNALS})",
        f"kind in ({OLD_JOURNALS}, {NEW_JOURNALS})",
    ),
}
PARTNER_CHECK = f"(partner_id is not null) = (kind in ({PARTNERS}))"

# A partner's account is one that authorises, as a member's: it has a balance and a limit.
OPEN_PARTNER_ACCOUNT = """
create function open_partner_account(
  account_id uuid, account_kind text, owner_id uuid, account_currency text, lowest bigint,
  at timestamptz
) returns uuid language plpgsql security definer set search_path = public as $$
declare
  opened uuid;
begin
  insert into account (id, kind, partner_id, currency, opened_at)
    values (account_id, account_kind, owner_id, account_currency, at)
    on conflict do nothing returning id into opened;
  if opened is null then
    select id into strict opened from account where kind = account_kind and partner_id = owner_id;
    return opened;
  end if;
  insert into balance (account_id, lowest_minor) values (opened, lowest);
  return opened;
end $$
"""
OPEN_PARTNER_ACCOUNT_CALL = "open_partner_account(uuid, text, uuid, text, bigint, timestamptz)"

OPEN_HOUSE_ACCOUNTS = """
create or replace function open_house_accounts() returns trigger language plpgsql security definer
set search_path = public as $$
begin
  perform open_account(uuidv7(), kind, null, new.currency, 0, new.founded_at)
    from unnest(array[{kinds}]) as kind;
  return null;
end $$
"""
OPENED_BEFORE = OLD_HOUSE.removeprefix("'commission_income', ")
HOUSE_INDEX = "one_house_account_of_a_kind"


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    op.add_column("account", sa.Column("partner_id", sa.Uuid(), nullable=True))
    for (table, name), (_, rule) in CHECKS.items():
        _replace_check(table, name, rule)
    op.execute(
        f"alter table account add constraint partners_accounts_have_a_partner"
        f" check ({PARTNER_CHECK}) not valid"
    )
    # A handful of rows: nobody waits for the index.
    op.execute(f"-- squawk-ignore require-concurrent-index-deletion\ndrop index {HOUSE_INDEX}")
    _unique_index(HOUSE_INDEX, "kind", where="member_id is null and partner_id is null")
    _unique_index(
        "one_account_of_a_kind_per_partner", "partner_id, kind", where="partner_id is not null"
    )
    op.execute(OPEN_PARTNER_ACCOUNT)
    op.execute(f"revoke execute on function {OPEN_PARTNER_ACCOUNT_CALL} from public")
    op.execute(f"grant execute on function {OPEN_PARTNER_ACCOUNT_CALL} to meent_app")
    op.execute(OPEN_HOUSE_ACCOUNTS.format(kinds=f"{OPENED_BEFORE}, {NEW_HOUSE}"))
    op.execute(
        "select open_account(uuidv7(), kind, null, currency, 0, founded_at) from cooperative"  # noqa: S608 - constants
        f" cross join unnest(array[{NEW_HOUSE}]) as kind"
    )
    # In a transaction of their own: they read whole tables, and lock nobody out meanwhile.
    with op.get_context().autocommit_block():
        for table, name in (*CHECKS, ("account", "partners_accounts_have_a_partner")):
            op.execute(f"alter table {table} validate constraint {name}")


def downgrade() -> None:
    """Refused by the database once a cooperative was founded: its accounts are in the books."""
    op.execute(f"drop function {OPEN_PARTNER_ACCOUNT_CALL}")
    op.execute(OPEN_HOUSE_ACCOUNTS.format(kinds=OPENED_BEFORE))
    op.execute("drop index one_account_of_a_kind_per_partner")
    op.execute(f"drop index {HOUSE_INDEX}")
    _unique_index(HOUSE_INDEX, "kind", where="member_id is null")
    op.execute("alter table account drop constraint partners_accounts_have_a_partner")
    for (table, name), (rule, _) in CHECKS.items():
        _replace_check(table, name, rule)
        op.execute(f"alter table {table} validate constraint {name}")
    op.drop_column("account", "partner_id")


def _unique_index(name: str, columns: str, *, where: str) -> None:
    op.execute(
        f"-- squawk-ignore require-concurrent-index-creation\n"
        f"create unique index {name} on account ({columns}) where {where}"
    )


def _replace_check(table: str, name: str, rule: str) -> None:
    """Nobody sees the table between the two; whoever widens a rule knows its old rows keep it."""
    op.execute(f"-- squawk-ignore ban-drop-constraint\nalter table {table} drop constraint {name}")
    op.execute(f"alter table {table} add constraint {name} check ({rule}) not valid")
