"""How do the policy tests run over thousands of mutants? The quick first, and no search for small counterexamples."""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings

from policy import calendar

settings.register_profile(
    "mutation",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=50,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=(HealthCheck.too_slow, HealthCheck.differing_executors),
)


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    """mutmut forks a mutant from a process in which the tests have run: what that remembered would hide the mutant."""
    if os.environ.get("MUTANT_UNDER_TEST"):
        for function in vars(calendar).values():
            if hasattr(function, "cache_clear"):
                function.cache_clear()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Under mutmut the first test that fails ends the run: properties, which take longest, come last."""
    if os.environ.get("MUTANT_UNDER_TEST"):
        items.sort(key=lambda item: item.get_closest_marker("hypothesis") is not None)
