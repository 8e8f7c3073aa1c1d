"""How copies of the database are made, sealed, kept and brought back."""
