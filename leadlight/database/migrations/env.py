"""Run by Alembic, with the connection that ``leadlight.database`` holds open for it."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
