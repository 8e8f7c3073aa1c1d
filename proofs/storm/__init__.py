"""A site in which everything fails, in one process, one virtual time and under one seed."""
