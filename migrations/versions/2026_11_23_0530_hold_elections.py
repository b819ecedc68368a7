"""Hold elections: manifest, issuers, roll, tally.

Revision: hold_elections
Follows: let_members_propose
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "hold_elections"
down_revision = "let_members_propose"
branch_labels = None
depends_on = None

# What the app may do beside reading. A tally is written by a function alone.
RIGHTS = {
    "election": "insert, update",
    "election_issuer": "insert, update",
    "election_roll": "insert",
    "issuance": "insert",
    "issuance_log": "insert",
    "election_revocation": "insert, update",
    "election_notice": "insert",
    "election_fault": "insert",
    "tally": "",
}
APPEND_ONLY = ("election_roll", "issuance", "issuance_log", "election_fault", "tally")

# Whoever opened a vote cannot change its terms, not even the owner.
KEEP_MANIFEST = """
create function keep_manifest() returns trigger language plpgsql as $$
begin
  if tg_op <> 'UPDATE' or old.manifest is not null
     or (to_jsonb(new) - 'manifest' - 'manifest_hash')
        <> (to_jsonb(old) - 'manifest' - 'manifest_hash') then
    raise exception 'the terms of a vote are append-only' using errcode = 'MN001';
  end if;
  return new;
end $$
"""
# An answer of an issuer is taken once; a second one cannot take its place.
KEEP_ANSWERS = """
create function keep_answers() returns trigger language plpgsql as $$
begin
  if tg_op <> 'UPDATE' or (old.moduli is not null and old.moduli is distinct from new.moduli)
     or (old.seal_key is not null and old.seal_key is distinct from new.seal_key)
     or (old.name is not null and old.name is distinct from new.name)
     or (old.seal is not null and old.seal is distinct from new.seal)
     or old.url <> new.url or old.election_id <> new.election_id
     or old.issuer_no <> new.issuer_no then
    raise exception 'what an issuer answered is append-only' using errcode = 'MN001';
  end if;
  return new;
end $$
"""


def _column(name: str, kind: sa.types.TypeEngine[object], *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, kind, nullable=nullable)


def _number(name: str) -> sa.Column:
    return sa.Column(name, sa.Integer(), autoincrement=False, nullable=False)


def _election_key() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["election_id"], ["election.id"])


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    moment, document = sa.DateTime(timezone=True), postgresql.JSONB(astext_type=sa.Text())
    op.create_table(
        "election",
        _column("id", sa.Uuid()),
        _column("proposal_id", sa.Uuid()),
        _column("salt", sa.LargeBinary()),
        _column("terms", document),
        _column("manifest", document, nullable=True),
        _column("manifest_hash", sa.LargeBinary(), nullable=True),
        _column("frozen_at", moment),
        _column("opens_at", moment),
        _column("closes_at", moment),
        _column("published_by", moment),
        sa.CheckConstraint(
            "opens_at < closes_at and closes_at <= published_by",
            name="an_election_opens_then_closes_then_publishes",
        ),
        sa.CheckConstraint(
            "(manifest is null) = (manifest_hash is null)", name="a_manifest_has_its_hash"
        ),
        sa.CheckConstraint("length(salt) = 32", name="roll_salts_are_long"),
        sa.CheckConstraint("length(manifest_hash) = 32", name="manifest_hashes_are_whole"),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposal.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("proposal_id"),
        sa.UniqueConstraint("manifest_hash"),
    )
    op.create_table(
        "election_issuer",
        _column("election_id", sa.Uuid()),
        _number("issuer_no"),
        _column("url", sa.Text()),
        _column("name", sa.Text(), nullable=True),
        _column("moduli", document, nullable=True),
        _column("seal_key", sa.Text(), nullable=True),
        _column("seal", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("issuer_no >= 0", name="issuers_count_from_zero"),
        sa.CheckConstraint(
            "(moduli is null) = (seal_key is null) and (moduli is null) = (name is null)",
            name="an_issuer_gives_all_its_keys",
        ),
        sa.CheckConstraint("seal is null or moduli is not null", name="seals_follow_keys"),
        _election_key(),
        sa.PrimaryKeyConstraint("election_id", "issuer_no"),
    )
    op.create_table(
        "election_roll",
        _column("election_id", sa.Uuid()),
        _column("member_hash", sa.Text()),
        _column("house_no", sa.Integer()),
        _column("member_id", sa.Uuid()),
        _column("public_key", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("length(public_key) = 32", name="keys_on_a_roll_are_whole"),
        _election_key(),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"]),
        sa.PrimaryKeyConstraint("election_id", "member_hash"),
        sa.UniqueConstraint("election_id", "member_id", name="one_seat_for_one_member"),
    )
    op.create_index("election_roll_by_member", "election_roll", ["member_id"])
    op.create_table(
        "issuance",
        _column("election_id", sa.Uuid()),
        _number("issuer_no"),
        _column("member_hash", sa.Text()),
        _column("house_no", sa.Integer()),
        _election_key(),
        sa.PrimaryKeyConstraint("election_id", "issuer_no", "member_hash"),
    )
    op.create_table(
        "issuance_log",
        _column("election_id", sa.Uuid()),
        _number("issuer_no"),
        _number("house_no"),
        _column("document", document),
        _election_key(),
        sa.PrimaryKeyConstraint("election_id", "issuer_no", "house_no"),
    )
    op.create_table(
        "election_revocation",
        _column("election_id", sa.Uuid()),
        _column("member_hash", sa.Text()),
        _column("house_no", sa.Integer()),
        _column("number", sa.Integer()),
        sa.Column("answers", document, server_default=sa.text("'{}'::jsonb"), nullable=False),
        _column("document", document, nullable=True),
        sa.CheckConstraint("number >= 0", name="revocations_count_from_zero"),
        _election_key(),
        sa.PrimaryKeyConstraint("election_id", "member_hash"),
        sa.UniqueConstraint("election_id", "number", name="revocations_follow_each_other"),
    )
    op.create_table(
        "election_notice",
        _column("proposal_id", sa.Uuid()),
        _column("member_id", sa.Uuid()),
        _column("kind", sa.Text()),
        sa.CheckConstraint(
            "kind in ('key_missing', 'on_roll', 'first_reminder', 'last_reminder')",
            name="notices_are_known",
        ),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposal.id"]),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"]),
        sa.PrimaryKeyConstraint("proposal_id", "member_id", "kind"),
    )
    op.create_table(
        "election_fault",
        _column("election_id", sa.Uuid()),
        _number("number"),
        _column("kind", sa.Text()),
        _column("detail", sa.Text()),
        _election_key(),
        sa.PrimaryKeyConstraint("election_id", "number"),
    )
    op.create_table(
        "tally",
        _column("id", sa.Uuid()),
        _column("election_id", sa.Uuid()),
        _column("rule", sa.Text()),
        _column("result", document),
        _column("counted", document),
        _column("package_hash", sa.LargeBinary()),
        _column("tallied_at", moment),
        sa.CheckConstraint("length(package_hash) = 32", name="package_hashes_are_whole"),
        _election_key(),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("election_id"),
    )
    for table, rights in RIGHTS.items():
        op.execute(f"grant select{rights and ', '}{rights} on {table} to meent_app")
    for function in (KEEP_MANIFEST, KEEP_ANSWERS):
        op.execute(function)
    op.execute("revoke execute on function keep_manifest(), keep_answers() from public")
    for table in APPEND_ONLY:
        op.execute(
            f"create trigger {table}_is_append_only before update or delete on {table}"
            " for each row execute function refuse_change()"
        )
    op.execute(
        "create trigger terms_are_frozen before update or delete on election"
        " for each row execute function keep_manifest()"
    )
    op.execute(
        "create trigger answers_are_taken_once before update or delete on election_issuer"
        " for each row execute function keep_answers()"
    )
    for table in (*APPEND_ONLY, "election", "election_issuer"):
        op.execute(
            f"create trigger {table}_is_never_emptied before truncate on {table}"
            " for each statement execute function refuse_change()"
        )


def downgrade() -> None:
    for table in reversed(RIGHTS):
        op.drop_table(table)
    op.execute("drop function keep_answers()")
    op.execute("drop function keep_manifest()")
