"""Every statement about elections, one file for each subject."""

from app.assembly.elections.queries.elections import find_manifest

__all__ = ["find_manifest"]
