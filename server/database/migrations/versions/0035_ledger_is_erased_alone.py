"""the ledger of the bank can be emptied by no statement, and renamed by nothing but the erasure of a former member"""

from alembic import op

revision = "0035"
down_revision = "0034"

WHY = "bank_entry: entries are never changed or deleted; counter one that is wrong"
UNITS = "garde/"
"""Ids of half-days that the bank minted begin so, then comes their member's."""
ENDED = "EXISTS (SELECT 1 FROM member WHERE id = OLD.member AND ended IS NOT NULL)"
"""OLD is of a former member. Whose name the entry bears then, and what its source may become, each part by itself:"""
STAND_IN = {"sqlite": "NEW.member GLOB 'ancien-[0-9]*'", "postgresql": "NEW.member ~ '^ancien-[0-9]+$'"}
NOT_YET = {"sqlite": "OLD.member NOT GLOB 'ancien-[0-9]*'", "postgresql": "OLD.member !~ '^ancien-[0-9]+$'"}
RENAMED = f"""(was.value = now.value OR (was.value = OLD.member AND now.value = NEW.member)
  OR now.value = replace(was.value, '{UNITS}' || OLD.member || '/', '{UNITS}' || NEW.member || '/'))"""
SOURCES = {
    "sqlite": f"""json_array_length(OLD.source) = json_array_length(NEW.source) AND NOT EXISTS (
  SELECT 1 FROM json_each(OLD.source) AS was JOIN json_each(NEW.source) AS now ON was.key = now.key
  WHERE NOT {RENAMED})""",  # noqa: S608 - all of it is ours
    "postgresql": f"""json_array_length(OLD.source) = json_array_length(NEW.source) AND NOT EXISTS (
  SELECT 1 FROM json_array_elements_text(OLD.source) WITH ORDINALITY AS was(value, place)
  JOIN json_array_elements_text(NEW.source) WITH ORDINALITY AS now(value, place) ON was.place = now.place
  WHERE NOT {RENAMED})""",  # noqa: S608 - all of it is ours
}


def upgrade() -> None:
    which = op.get_bind().dialect.name
    erased = f"{ENDED} AND {STAND_IN[which]} AND {NOT_YET[which]} AND {SOURCES[which]}"
    if which == "sqlite":
        op.execute("DROP TRIGGER bank_entry_no_other")
        refuse = f"BEGIN SELECT RAISE(ABORT, '{WHY}') WHERE NOT ({erased}); END"
        op.execute(f"CREATE TRIGGER bank_entry_no_other BEFORE UPDATE OF member, source ON bank_entry {refuse}")
        return
    op.execute("DROP TRIGGER bank_entry_no_other ON bank_entry")
    body = f"BEGIN IF NOT ({erased}) THEN RAISE EXCEPTION '{WHY}'; END IF; RETURN NEW; END"
    op.execute(f"CREATE FUNCTION bank_entry_erased() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$")
    op.execute(
        "CREATE TRIGGER bank_entry_no_other BEFORE UPDATE OF member, source ON bank_entry"
        " FOR EACH ROW EXECUTE FUNCTION bank_entry_erased()"
    )
    op.execute(
        "CREATE TRIGGER bank_entry_no_truncate BEFORE TRUNCATE ON bank_entry"
        " FOR EACH STATEMENT EXECUTE FUNCTION bank_entry_refused()"
    )
