"""Questions to the tables. Nothing is written here."""
