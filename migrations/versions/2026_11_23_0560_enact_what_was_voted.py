"""Enact what was voted: the only way to a new policy.

Revision: enact_what_was_voted
Follows: lend_voices
"""

import sqlalchemy as sa
from alembic import op

revision = "enact_what_was_voted"
down_revision = "lend_voices"
branch_labels = None
depends_on = None

# The table of a proposal's life as it stands in the library, pair by pair: a test compares them.
ALLOWED_STAGES = (
    ("credentials_open", "void"),
    ("credentials_open", "voting"),
    ("deliberation", "frozen"),
    ("draft", "seeking_support"),
    ("draft", "withdrawn"),
    ("enacted", "superseded"),
    ("frozen", "credentials_open"),
    ("frozen", "void"),
    ("objection_window", "enacted"),
    ("objection_window", "unchanged"),
    ("objection_window", "void"),
    ("seeking_support", "deliberation"),
    ("seeking_support", "lapsed"),
    ("seeking_support", "withdrawn"),
    ("tallied", "objection_window"),
    ("tallied", "void"),
    ("voting", "tallied"),
    ("voting", "void"),
)
# The whole numbers that members vote on; nothing else of the statutes is set by a median.
NUMBERS = (
    "commission_bp",
    "fairness_weight_s",
    "offer_time_s",
    "pay_floor_per_hour_minor",
    "surge_cap_bp",
)

DATABASE_NOW = """
create function database_now() returns timestamptz language sql volatile
set search_path = public as $$
  select coalesce(
    (select start_at + make_interval(secs => (extract(epoch from clock_timestamp()) - anchor_s)
                                             * speed) from demo_clock),
    clock_timestamp())
$$
"""

CLOCK_TOLERANCE = """
create function clock_tolerance() returns interval language sql volatile
set search_path = public as $$
  select make_interval(secs => 5 * coalesce((select greatest(speed, 1) from demo_clock), 1))
$$
"""

# Whole days by the calendar of the cooperative's zone, as the library reckons deadlines.
STATUTORY_END = """
create function statutory_end(begins timestamptz, lasting_key text) returns timestamptz
language plpgsql volatile set search_path = public as $$
declare
  lasts_s bigint;
  zone text;
begin
  select (value #>> '{}')::bigint into strict lasts_s from policy_version
    where key = lasting_key and effective_from <= database_now()
    order by effective_from desc limit 1;
  select time_zone into strict zone from cooperative;
  return ((begins at time zone zone) + make_interval(days => (lasts_s / 86400)::int))
         at time zone zone + make_interval(secs => lasts_s % 86400);
end $$
"""

FITS_TERMS = """
create function fits_terms(manifest jsonb, result jsonb) returns boolean
language plpgsql immutable set search_path = public as $$
declare
  terms jsonb := manifest -> 'parameters';
  lowest bigint;
  highest bigint;
  unchanged bigint;
  step bigint;
  decided bigint;
begin
  if manifest ->> 'rule' not in ('number', 'two_houses') then
    return jsonb_typeof(result) = 'object';
  end if;
  if jsonb_typeof(result -> 'value') is distinct from 'number' then
    return false;
  end if;
  if (result ->> 'value') !~ '^-?[0-9]{1,12}$' then
    return false;
  end if;
  decided := (result ->> 'value')::bigint;
  lowest := (terms ->> 'floor')::bigint;
  highest := (terms ->> 'ceiling')::bigint;
  step := (terms ->> 'largest_step')::bigint;
  unchanged := greatest(lowest, least(highest, (terms ->> 'status_quo')::bigint));
  return decided between lowest and highest
    and (step is null or abs(decided - unchanged) <= step)
    and (decided % (terms ->> 'grid')::bigint = 0 or decided in (lowest, highest, unchanged)
         or abs(decided - unchanged) = step);
end $$
"""

# What a count may say is checked here: SQL cannot check signatures, so `meent audit` recounts.
RECORD_TALLY = """
create function record_tally(
  tally_id uuid, of_election uuid, by_rule text, decided jsonb, ballots jsonb, package bytea
) returns timestamptz language plpgsql security definer set search_path = public as $$
declare
  e election%rowtype;
  p record;
  now_at timestamptz := database_now();
begin
  select * into e from election where id = of_election;
  if not found or e.manifest is null then
    raise exception 'there is no such election' using errcode = 'MN101';
  end if;
  select stage, count_by, key, is_secret into strict p from proposal where id = e.proposal_id
    for update;
  if p.stage <> 'voting' or not p.is_secret then
    raise exception 'the proposal is not voted on in secret now' using errcode = 'MN102';
  end if;
  if e.manifest ->> 'election' <> e.id::text
     or (e.manifest ->> 'opens_at')::timestamptz <> e.opens_at
     or (e.manifest ->> 'closes_at')::timestamptz <> e.closes_at
     or (e.manifest ->> 'published_by')::timestamptz <> e.published_by then
    raise exception 'the manifest is not of this election' using errcode = 'MN103';
  end if;
  if now_at < e.closes_at or now_at >= p.count_by then
    raise exception 'this is not the time to count' using errcode = 'MN104';
  end if;
  if jsonb_array_length(e.manifest -> 'issuers') < 2
     or (select count(*) from election_issuer where election_id = e.id and seal is not null)
        <> jsonb_array_length(e.manifest -> 'issuers') then
    raise exception 'not every issuer has sealed the manifest' using errcode = 'MN105';
  end if;
  if by_rule is distinct from e.manifest ->> 'rule'
     or p.key is distinct from e.manifest -> 'parameters' ->> 'key' then
    raise exception 'the rule or the policy is not the manifest''s' using errcode = 'MN106';
  end if;
  if not fits_terms(e.manifest, decided) then
    raise exception 'the result lies outside the terms' using errcode = 'MN107';
  end if;
  insert into tally (id, election_id, rule, result, counted, package_hash, tallied_at)
    values (tally_id, of_election, by_rule, decided, ballots, package, now_at);
  return now_at;
end $$
"""

ENACT_TALLY = """
create function enact_tally(version_id uuid, of_tally uuid, in_force_from timestamptz,
                            at timestamptz)
returns void language plpgsql security definer set search_path = public as $$
declare
  t tally%rowtype;
  e election%rowtype;
  p record;
  policy_key text;
  policy_value jsonb;
  now_at timestamptz := database_now();
begin
  select * into t from tally where id = of_tally;
  if not found then
    raise exception 'there is no such tally' using errcode = 'MN111';
  end if;
  select * into strict e from election where id = t.election_id;
  select stage, kind, key into strict p from proposal where id = e.proposal_id for update;
  if p.stage <> 'objection_window' then
    raise exception 'the result does not await its enactment' using errcode = 'MN112';
  end if;
  if exists (select from policy_version where tally_id = of_tally) then
    raise exception 'a tally is enacted once' using errcode = 'MN113';
  end if;
  if at > now_at + clock_tolerance() or at < now_at - clock_tolerance() then
    raise exception 'the moment % is not now', at using errcode = 'MN114';
  end if;
  if now_at + clock_tolerance() < statutory_end(t.tallied_at, 'objection_s') then
    raise exception 'the objection window is open' using errcode = 'MN115';
  end if;
  if in_force_from < statutory_end(at, 'notice_s') then
    raise exception 'the notice of the statutes is longer' using errcode = 'MN116';
  end if;
  if t.rule <> e.manifest ->> 'rule' or not fits_terms(e.manifest, t.result) then
    raise exception 'the tally is not of this manifest' using errcode = 'MN117';
  end if;
  if t.rule in ('number', 'two_houses') then
    policy_key := e.manifest -> 'parameters' ->> 'key';
    policy_value := t.result -> 'value';
    if policy_key is distinct from p.key or not policy_key = any(array[{numbers}]) then
      raise exception 'no vote sets %', policy_key using errcode = 'MN118';
    end if;
    if policy_key = 'commission_bp' and policy_value::bigint > (
         select (value #>> '{{}}')::bigint from policy_version
         where key = 'commission_ceiling_bp' and effective_from <= now_at
         order by effective_from desc limit 1) then
      raise exception 'the statutes allow no such share' using errcode = 'MN119';
    end if;
  elsif t.rule = 'budget' then
    policy_key := 'surplus_pots';
    policy_value := jsonb_build_object('pots', e.manifest -> 'parameters' -> 'pots',
                                       'shares', t.result -> 'shares');
  else
    raise exception 'this result sets no policy' using errcode = 'MN120';
  end if;
  -- What was decided later must also be in force later, or it would never be.
  if exists (select from policy_version
             where key = policy_key and effective_from >= in_force_from) then
    raise exception 'an earlier decision takes effect after this one' using errcode = 'MN121';
  end if;
  insert into policy_version (id, key, value, effective_from, source, tally_id)
    values (version_id, policy_key, policy_value, in_force_from, 'tally', of_tally);
end $$
"""

KEEP_STAGES = """
create function keep_stages() returns trigger language plpgsql as $$
begin
  if new.stage <> old.stage and not exists (
       select from (values {pairs}) as allowed(source, target)
       where allowed.source = old.stage and allowed.target = new.stage) then
    raise exception 'a proposal never goes from % to %', old.stage, new.stage
      using errcode = 'MN130';
  end if;
  -- What was put to the vote is not swapped under it.
  if old.sign_by is not null and (old.key is distinct from new.key
       or old.kind <> new.kind or old.is_secret <> new.is_secret or old.sign_by <> new.sign_by
       or old.opens_at <> new.opens_at or old.closes_at <> new.closes_at
       or old.count_by <> new.count_by) then
    raise exception 'what is put to the vote does not change' using errcode = 'MN131';
  end if;
  return new;
end $$
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    op.create_table(
        "demo_clock",
        sa.Column("one", sa.Boolean(), nullable=False),
        sa.Column("start_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("anchor_s", sa.Float(), nullable=False),
        sa.Column("speed", sa.Float(), nullable=False),
        sa.CheckConstraint("one", name="one_demo_clock_per_database"),
        sa.CheckConstraint("speed > 0", name="demo_time_passes"),
        sa.PrimaryKeyConstraint("one"),
    )
    op.execute("grant select on demo_clock to meent_app")
    pairs = ", ".join(f"('{source}', '{target}')" for source, target in ALLOWED_STAGES)
    numbers = ", ".join(f"'{key}'" for key in NUMBERS)
    for function in (
        DATABASE_NOW,
        CLOCK_TOLERANCE,
        STATUTORY_END,
        FITS_TERMS,
        RECORD_TALLY,
        ENACT_TALLY.format(numbers=numbers),
        KEEP_STAGES.format(pairs=pairs),
    ):
        op.execute(function)
    op.execute(
        "revoke execute on function database_now(), clock_tolerance(),"
        " statutory_end(timestamptz, text), fits_terms(jsonb, jsonb),"
        " record_tally(uuid, uuid, text, jsonb, jsonb, bytea),"
        " enact_tally(uuid, uuid, timestamptz, timestamptz), keep_stages() from public"
    )
    # The app asks for the time and hands in what was counted; nothing else stands open to it.
    op.execute(
        "grant execute on function database_now(), statutory_end(timestamptz, text),"
        " record_tally(uuid, uuid, text, jsonb, jsonb, bytea),"
        " enact_tally(uuid, uuid, timestamptz, timestamptz) to meent_app"
    )
    op.execute(
        "create trigger stages_follow_the_table before update on proposal"
        " for each row execute function keep_stages()"
    )


def downgrade() -> None:
    op.execute("drop trigger stages_follow_the_table on proposal")
    for name in (
        "keep_stages",
        "enact_tally",
        "record_tally",
        "fits_terms",
        "statutory_end",
        "clock_tolerance",
        "database_now",
    ):
        op.execute(f"drop function {name}")
    op.drop_table("demo_clock")
