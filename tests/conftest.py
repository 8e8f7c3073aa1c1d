"""Hypothesis without a stopwatch: how long an example takes is the machine's matter."""

from hypothesis import settings

settings.register_profile("loquet", deadline=None)
settings.load_profile("loquet")
