"""Invariants of the platform's own costs and of what was taken back, each as one statement."""

COSTS_ARE_EXPLAINED = """
select case when e.id is null then 'journal ' || j.id || ' has no purpose and no document'
    when j.subject_id <> e.id then 'journal ' || j.id || ' is of another cost than its entry'
    when coalesce(undone.kind, j.kind) not in ('platform_cost', 'other_income')
    then 'the cost of journal ' || j.id || ' is a ' || j.kind
    when (e.reason is null) <> (j.reverses is null)
    then 'journal ' || j.id || ' takes a cost back without a reason, or has one for nothing'
    when exists (select from transfer t join account d on d.id = t.debit_id
                 join account c on c.id = t.credit_id
                 where t.journal_id = j.id and not (
                   least(d.kind, c.kind) = 'bank' and greatest(d.kind, c.kind)
                     = case coalesce(undone.kind, j.kind) when 'platform_cost'
                       then 'platform_costs' else 'other_income' end))
    then 'the cost of journal ' || j.id || ' moves other money' end as fault
from journal j
left join journal undone on undone.id = j.reverses
left join cost_entry e on e.journal_id = j.id
where e.id is not null or coalesce(undone.kind, j.kind) in ('platform_cost', 'other_income')
"""

REVERSALS_MIRROR = """
select case when back.kind <> 'reversal' or undone.kind = 'reversal'
    then 'journal ' || back.id || ' takes back what cannot be'
    when exists (select from (select * from transfer where journal_id = undone.id) as there
                 full join (select * from transfer where journal_id = back.id) as here
                   on here.line = there.line and here.currency = there.currency
                   and here.amount_minor = there.amount_minor
                   and here.debit_id = there.credit_id and here.credit_id = there.debit_id
                 where here.line is null or there.line is null)
    then 'journal ' || back.id || ' does not mirror journal ' || undone.id end as fault
from journal back join journal undone on undone.id = back.reverses
"""
