"""Every statement of the proposals' room, one file for each subject."""

# Of a support ``s``: who has left the register counts no longer. Another room's table, only read.
STILL_A_MEMBER = (
    "exists(select from membership r where r.member_id = s.member_id"
    " and r.admitted_at is not null and r.left_at is null)"
)
