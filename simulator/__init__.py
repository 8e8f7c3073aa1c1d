"""The world that is not there: reader chip, badges, pins, clock, people."""
