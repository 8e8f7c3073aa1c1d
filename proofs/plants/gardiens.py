"""Bugs in how gardiens hold and close a place, and in what they are owed for it: caught by world.

And in whom an evening is offered to, and what screens say of it: caught by the tests that CI runs anyway.
"""

from proofs.plants.plant import Plant

GARDIENS = (
    Plant(
        "the last gardien goes and the place stays open",
        "policy/closing.py",
        "        return replace(out, closed=behind)",
        "        return out",
        "world",
        60,
    ),
    Plant(
        "whom a closing checked out is asked by its journal alone",
        "server/queries/closing.py",
        "        col(closing.at) == col(row.at),\n",
        "",
        "world",
        60,
    ),
    Plant(
        "no edge hears of the half-days that the bank minted",
        "server/bank.py",
        "            self._site_changed()\n",
        "",
        "world",
        60,
    ),
)

_NEWS = "tests/server/changes/test_rota_news.py"
_KIOSK = "tests/server/pages/test_kiosk.py"
_SCREEN = "tests/edge/test_screen.py"

EVENINGS = (
    Plant(
        "a gap is offered again to who said no",
        "server/changes/rota_news.py",
        "    kinds = (Kind.ASKED, Kind.GIVEN_BACK)\n",
        "    kinds = (Kind.GIVEN_BACK,)\n",
        f"{_NEWS}::test_a_gap_is_offered_to_one_after_the_other_least_held_first_and_never_twice",
        1,
    ),
    Plant(
        "a gap is offered to who has just given it back",
        "server/changes/rota_news.py",
        "    kinds = (Kind.ASKED, Kind.GIVEN_BACK)\n",
        "    kinds = (Kind.ASKED,)\n",
        f"{_NEWS}::test_what_is_over_is_closed_and_a_gap_given_back_is_not_asked_of_whoever_gave_it",
        1,
    ),
    Plant(
        "a gap is offered to several at a time",
        "server/changes/rota_news.py",
        "if turn.gardien is not None or turn.key in busy or",
        "if turn.gardien is not None or",
        f"{_NEWS}::test_a_gap_is_offered_to_one_after_the_other_least_held_first_and_never_twice",
        1,
    ),
    Plant(
        "a gap is offered to a gardien who is away or who holds another evening then",
        "server/changes/rota_news.py",
        "if overlapping(around, turn, who) is None and not _away(here, who, turn)]",
        "if around]",
        f"{_NEWS}::test_whoever_is_away_or_holds_another_evening_then_is_not_asked",
        1,
    ),
    Plant(
        "a screen that hears nothing of the server goes on saying yes",
        "server/static/kiosk.js",
        "said.hidden = old;",
        "said.hidden = false;",
        "tests/flow/test_dead_page.py::test_the_screen_at_the_door_ages_and_then_sends_people_to_the_lamp",
        1,
    ),
    Plant(
        "the place is surely open while its door is not heard",
        "policy/degrees.py",
        "    best = Degree.SURE if known.heard else Degree.PROBABLE\n",
        "    best = Degree.SURE\n",
        "tests/policy/test_degrees.py::test_without_a_word_of_the_door_nothing_is_sure",
        1,
    ),
    Plant(
        "the screen at the door says who holds the place",
        "server/pages/kiosk.py",
        "named=False",
        "named=True",
        f"{_KIOSK}::test_nobody_is_named_whoever_is_logged_in_on_it",
        1,
    ),
    Plant(
        "the screen at the door announces what is for members alone",
        "server/text/kiosk.py",
        '        if one.audience == "public"\n',
        "",
        f"{_KIOSK}::test_events_for_everybody_are_announced_and_those_of_members_are_not",
        1,
    ),
    Plant(
        "the edge's screen says who is due",
        "edge/screen.py",
        '{SURENESS[one.degree]}" for one in found]',
        '{SURENESS[one.degree]} {one.gardiens}" for one in found]',
        f"{_SCREEN}::test_the_edge_writes_it_when_somebody_comes_and_each_minute_without_names",
        1,
    ),
    Plant(
        "the edge's screen goes by rules that nobody has confirmed for too long",
        "edge/screen.py",
        " or held.not_after < now.at:",
        ":",
        f"{_SCREEN}::test_an_edge_that_cannot_know_sends_to_the_lamp",
        1,
    ),
    Plant(
        "the edge's screen is not written anew while nothing happens",
        "edge/screen.py",
        " and now.mono < self.deadline:",
        ":",
        f"{_SCREEN}::test_the_edge_writes_it_when_somebody_comes_and_each_minute_without_names",
        1,
    ),
    Plant(
        "the edge's screen trusts a shift that its gardien offers",
        "edge/screen.py",
        "offered=rules.offered)",
        "offered={})",
        f"{_SCREEN}::test_a_shift_that_its_gardien_offers_is_in_doubt_there_and_whose_it_is_stays_unsaid",
        1,
    ),
    Plant(
        "edges of the version before are told what they refuse",
        "policy/compile.py",
        " if speaks >= OFFERS_FROM else {}",
        "",
        "tests/server/publish/test_offers.py::test_edges_of_the_version_before_are_told_nothing_that_they_could_not_read",
        1,
    ),
    Plant(
        "gardiens read each other's balance unasked",
        "server/web/access.py",
        "(GARDIENS if shared else STAFF)",
        "GARDIENS",
        "tests/server/pages/test_bank_pages.py::test_who_reads_what_others_are_owed_is_the_sites_choice",
        1,
    ),
)
