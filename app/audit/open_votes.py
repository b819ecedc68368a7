"""Invariants of open votes, each as one statement: every voice counts once, own votes first."""

UNIQUE_INDEXES = (
    "one_open_delegation_per_giver_and_topic",
    "open_seat_pkey",
    "open_ballot_pkey",
    "open_tally_pkey",
    "open_voice_pkey",
)
CONSTRAINTS = (
    "nobody_lends_to_themselves",
    "voices_are_lent_for_a_year_at_most",
    "only_texts_and_choices_are_open",
    "only_the_roll_votes",
    "only_the_roll_has_a_voice",
)
APPEND_ONLY = ("open_vote", "open_seat", "open_ballot", "open_tally", "open_voice")

# The last vote of whoever carries a voice is what is counted for it.
OPEN_VOTES_ADD_UP = """
select case when counted.overridden > 0
    then 'open vote ' || t.proposal_id || ' counts lent voices of members who voted themselves'
    when counted.silent > 0
    then 'open vote ' || t.proposal_id || ' counts voices for which nobody voted'
    when (counted.own, counted.lent) is distinct from (t.own, t.lent)
    then 'open vote ' || t.proposal_id || ' says ' || t.own || ' own and ' || t.lent
      || ' lent votes; there are ' || counted.own || ' and ' || counted.lent
    when v.rule = 'text' and jsonb_build_object('yes', counted.yes, 'no', counted.no,
      'abstain', counted.abstain) is distinct from t.result - 'carried'
    then 'open vote ' || t.proposal_id || ' was ' || counted.yes || ' yes, ' || counted.no
      || ' no and ' || counted.abstain || ' abstain, which its result does not say' end as fault
from open_tally t join open_vote v using (proposal_id) cross join lateral (
  select count(*) filter (where o.carrier_id = o.member_id) as own,
    count(*) filter (where o.carrier_id <> o.member_id) as lent,
    count(*) filter (where said.value = '"yes"') as yes,
    count(*) filter (where said.value = '"no"') as no,
    count(*) filter (where said.value = '"abstain"') as abstain,
    count(*) filter (where o.carrier_id is not null and said.value is null) as silent,
    count(*) filter (where o.carrier_id is distinct from o.member_id and exists (
      select from open_ballot b where b.proposal_id = o.proposal_id
        and b.member_id = o.member_id)) as overridden
  from open_voice o left join lateral (
    select b.value from open_ballot b where b.proposal_id = o.proposal_id
      and b.member_id = o.carrier_id order by b.sequence desc limit 1) as said on true
  where o.proposal_id = t.proposal_id) as counted
"""

OPEN_VOTES_ARE_CAST_IN_TIME = """
select case when b.cast_at < v.opens_at or b.cast_at >= v.closes_at
    then 'vote ' || b.sequence || ' of member ' || b.member_id || ' on ' || b.proposal_id
      || ' was cast outside its time' end as fault
from open_ballot b join open_vote v using (proposal_id)
"""
