"""The small Flask server: ingest, history, pages, publishing of rules."""
