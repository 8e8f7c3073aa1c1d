"""Bugs in members, accounts, badges, carnets and what gardiens are owed: caught by the tests that CI runs anyway."""

from proofs.plants.plant import Plant

_ENROLMENT = "tests/edge/test_enrolment.py"
_PASSES = "tests/policy/test_passes.py"
_WORLD = "tests/proofs/test_storm.py"
_ACCOUNTS = "tests/server/changes/test_accounts.py"

PEOPLE = (
    Plant(
        "a badge that somebody has is enrolled for another",
        "edge/enrolment.py",
        "if owner is not None:",
        "if owner is not None and self._core.state.lockdown:",
        f"{_ENROLMENT}::test_somebodys_badge_is_decided_as_always_and_named",
        1,
    ),
    Plant(
        "the journal keeps whose number was enrolled",
        "edge/enrolment.py",
        "reader=event.reader, nonce=running.nonce)",
        "reader=event.reader, nonce=running.nonce, detail=event.uid.hex())",
        f"{_ENROLMENT}::test_nothing_of_it_lies_on_the_disk_or_in_the_log_or_is_kept_by_the_broker",
        1,
    ),
    Plant(
        "a half-day that the carnet says itself is counted twice",
        "policy/passes.py",
        "yield held, max(0, held.total - len(paid))",
        "yield held, max(0, held.total - len(paid) - len(held.used))",
        f"{_PASSES}::test_a_unit_that_the_rules_know_already_is_not_counted_twice",
        1,
    ),
    Plant(
        "a carnet that has expired is spent",
        "policy/passes.py",
        "return (first is None or first <= day) and (last is None or day <= str(last))",
        "return first is None or first <= day",
        f"{_PASSES}::test_a_pass_is_valid_through_the_site_day_of_its_last_day",
        1,
    ),
    Plant(
        "a link to an account works twice",
        "server/changes/accounts.py",
        "if link.used is not None:",
        "if link.used is not None and at > link.expires:",
        f"{_ACCOUNTS}::test_a_link_is_good_once_and_only_its_hash_is_kept",
        1,
    ),
    Plant(
        "a session survives its end",
        "server/queries/accounts.py",
        "if not roles or now >= min(kept.expires, kept.begun + lasts(roles)):",
        "if not roles:",
        f"{_ACCOUNTS}::test_how_long_a_session_lasts",
        1,
    ),
    Plant(
        "a token of the API is good for every scope",
        "server/web/sessions.py",
        "if scope not in scopes:",
        "if not scopes:",
        "tests/server/pages/test_api.py::test_a_scope_opens_its_own_list_alone",
        1,
    ),
    Plant(
        "a correction that was taken back goes on moving somebody",
        "server/changes/corrections.py",
        "            row.inside = row.moved_at = None\n",
        "            row.pending = False\n",
        f"{_WORLD}::test_a_correction_that_is_taken_back_is_countered",
        1,
    ),
    Plant(
        "what counts no more is not countered",
        "server/changes/bank.py",
        "            if source not in live and self._asked(source, step):",
        "            if source in live and source not in live:",
        f"{_WORLD}::test_a_credit_counts_by_two_names_and_is_countered_when_it_is_removed",
        1,
    ),
    Plant(
        "whoever proposed a credit vouches for it",
        "server/changes/credits.py",
        "if any(by in (one.member, one.by) for one in credits_):",
        "if any(by == one.member for one in credits_):",
        f"{_WORLD}::test_a_credit_counts_by_two_names_and_is_countered_when_it_is_removed",
        1,
    ),
)
