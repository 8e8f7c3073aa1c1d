"""Bugs in who has a machine and until when: caught by the tests of the stormy site, which CI runs anyway."""

from proofs.plants.plant import Plant

_WORLD = "tests/proofs/test_storm_machine.py"

FABLAB = (
    Plant(
        "a booking that nobody comes for is never released",
        "policy/bookings.py",
        "    return not came and not tried",
        "    return False",
        f"{_WORLD}::test_who_does_not_come_has_it_for_a_quarter_of_an_hour",
        1,
    ),
    Plant(
        "the machine starts for anybody while it is booked",
        "policy/machine.py",
        "if booking.member != case.who and not bookings.released(",
        "if booking.member == case.who and not bookings.released(",
        f"{_WORLD}::test_the_machine_is_kept_for_its_holder_who_ends_it_by_the_badge",
        1,
    ),
    Plant(
        "a session that goes on is counted twice",
        "policy/extend.py",
        "machine.until(case, begins=False)",
        "machine.until(case)",
        f"{_WORLD}::test_who_is_before_a_booking_goes_on_once_it_is_given_up",
        1,
    ),
    Plant(
        "nobody hears that a session goes on",
        "edge/machine.py",
        "            self._row(now, Kind.SESSION_EXTENDED, **of_session(found))\n",
        "",
        f"{_WORLD}::test_who_is_before_a_booking_goes_on_once_it_is_given_up",
        1,
    ),
    Plant(
        "what is left of a booking is not free when its holder is done",
        "server/changes/booking_ends.py",
        "return [(one, end) for one, end in found if end < one.end]",
        "return [(one, one.end - MINUTE) for one, end in found if end < one.end]",
        f"{_WORLD}::test_the_machine_is_kept_for_its_holder_who_ends_it_by_the_badge",
        1,
    ),
)
