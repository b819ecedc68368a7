"""What is refused when a dispatcher books for a guest."""

from app.foundation.problems import Problem


class GuestNotServed(Problem):
    """We take no bookings for this person now. They are told why when they sign in themselves."""

    slug = "guest-not-served"
    title = "Nothing can be booked for this guest"
