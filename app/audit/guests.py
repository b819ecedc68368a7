"""Invariants of guests, each as one statement: their rides are theirs, and paid as was agreed."""

UNIQUE_INDEXES = ("one_guest_per_member", "guest_ride_pkey", "guest_text_pkey")
CONSTRAINTS = ("texts_are_tried_so_often", "texts_follow_what_happened")
APPEND_ONLY = ("guest_ride",)

# Nobody books on another's account: in cash, or by the client that the booking names.
GUESTS_PAY_AS_AGREED = """
select case when r.rider_id <> guest.member_id
    then 'ride ' || g.ride_id || ' was booked for guest ' || g.guest_id || ' and is another one''s'
    when p.id is null then 'ride ' || g.ride_id || ' of a guest is not to be paid'
    when p.method not in ('cash', 'invoice') or p.client_id is distinct from g.client_id
    then 'ride ' || g.ride_id || ' of a guest is paid by ' || p.method || ', as nobody agreed'
    end as fault
from guest_ride g join ride r on r.id = g.ride_id join guest on guest.id = g.guest_id
left join payment p on p.ride_id = g.ride_id and p.kind = 'ride'
"""
GUESTS_ARE_GUARDED = """
select case when t.oid is null then 'table ' || guard.book || ' lost its guard ' || guard.name
    when t.tgenabled not in ('O', 'A')
    then 'the guard ' || guard.name || ' of table ' || guard.book || ' is switched off' end
    as fault
from (select book, book || guard from unnest(array['guest', 'guest_text']) as book
      cross join unnest(array['_is_never_deleted', '_is_never_emptied']) as guard)
  as guard(book, name)
left join pg_trigger t on t.tgname = guard.name
  and t.tgrelid = to_regclass('public.' || guard.book)
"""
