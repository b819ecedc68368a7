"""What the socket refuses without closing."""

from app.foundation.problems import Problem


class MalformedFrame(Problem):
    """A frame is one JSON object as text, in a form of `/asyncapi.json`. Twenty others close it."""

    status = 400
    slug = "malformed-frame"
    title = "The frame could not be understood"
