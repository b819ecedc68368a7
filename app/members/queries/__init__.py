"""Every statement of the members' room, by subject."""

from app.members.queries.drivers import VALID_PAPERS_SQL

__all__ = ["VALID_PAPERS_SQL"]
