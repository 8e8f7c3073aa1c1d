"""How does Alembic reach the database? Over the connection that server/database/schema.py hands it."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    render_as_batch=True,
    transactional_ddl=False,
)
context.run_migrations()
