"""The one database: how it is reached, kept safe and brought up to date."""
