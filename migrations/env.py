"""How Alembic reaches the database: offline for review, or on a connection that is handed in."""

from alembic import context
from sqlalchemy import Connection

from app.tables import metadata


def configure(connection: Connection | None = None) -> None:
    """Set the options that hold both online and offline."""
    context.configure(
        connection=connection,
        dialect_name="postgresql",
        target_metadata=metadata,
        compare_type=True,
        compare_server_default=False,
        transaction_per_migration=True,
    )


if context.is_offline_mode():
    configure()
    with context.begin_transaction():
        context.run_migrations()
else:
    configure(context.config.attributes["connection"])
    with context.begin_transaction():
        context.run_migrations()
