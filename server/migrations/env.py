"""How does Alembic reach the database? Over the connection that server/schema.py hands it."""

from alembic import context

from server.models import SQLModel

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    transactional_ddl=False,
)
context.run_migrations()
