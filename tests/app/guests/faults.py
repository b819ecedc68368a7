"""What breaks each promise about guests, for tests of the audit."""

GUEST_FAULTS: dict[str, tuple[str, ...]] = {
    "guests pay as was agreed": (
        (
            "insert into guest (id, member_id, name, registered_by, registered_at)"
            " select gen_random_uuid(), id, 'Ospelt', id, now() from member limit 1"
        ),
        (
            "insert into guest_ride (ride_id, guest_id, booked_by, booked_at)"
            " select r.id, g.id, g.member_id, now() from ride r cross join guest g limit 1"
        ),
    ),
    "what is noted of guests keeps its guard": (
        "alter table guest_text disable trigger guest_text_is_never_deleted",
    ),
}
# Nobody telephoned in the audited town; tests of the room look at a desk where somebody did.
NOBODY_TELEPHONED = {"guests pay as was agreed"}
