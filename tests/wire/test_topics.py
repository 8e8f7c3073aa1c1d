"""Topics are built and read in one place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.errors import WireError
from wire.topics import LEAVES, Topics, check_id

TOPICS = Topics("casaco")
IDS = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)
BAD_IDS = ["", "a/b", "+", "#", "a b", "é", "front\n", "a" * 65, "$SYS", "a.b"]


def test_the_topics_of_a_site() -> None:
    assert TOPICS.rules == "loquet/casaco/rules"
    assert TOPICS.fresh == "loquet/casaco/rules/fresh"
    assert TOPICS.events("front") == "loquet/casaco/edge/front/events"
    assert TOPICS.ack("front") == "loquet/casaco/edge/front/ack"
    assert TOPICS.status("front") == "loquet/casaco/edge/front/status"
    assert TOPICS.state == "loquet/casaco/state"
    assert TOPICS.facts("front") == "loquet/casaco/edge/front/facts"
    assert TOPICS.all_facts == "loquet/casaco/edge/+/facts"
    assert TOPICS.command("front") == "loquet/casaco/edge/front/command"
    assert TOPICS.reply("front") == "loquet/casaco/edge/front/reply"


@given(IDS, IDS)
def test_an_edge_s_topic_is_read_as_it_was_built(site: str, edge: str) -> None:
    topics = Topics(site)
    for leaf in LEAVES:
        assert topics.edge_of(getattr(topics, leaf)(edge)) == (edge, leaf)


@pytest.mark.parametrize("bad", BAD_IDS)
def test_an_id_that_would_be_another_topic_is_refused(bad: str) -> None:
    for refused in (lambda: Topics(bad), lambda: TOPICS.events(bad), lambda: check_id("edge", bad)):
        with pytest.raises(WireError, match="use 1 to 64 letters, digits, - or _"):
            refused()


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "loquet/casaco/rules",
        "loquet/tréso/edge/front/events",
        "loquet/other/edge/front/events",
        "loquet/casaco/edge/front",
        "loquet/casaco/edge/front/events/more",
        "loquet/casaco/edge/front/commands",
        "loquet/casaco/edge/+/facts/",
        "loquet/casaco/edge//events",
        "loquet/casaco/edge/a/b/events",
        "front/events",
    ],
)
def test_any_other_topic_is_refused(topic: str) -> None:
    with pytest.raises(WireError, match=r"^(topic|edge) "):
        TOPICS.edge_of(topic)


@given(st.text())
def test_no_text_is_read_as_an_edge_of_which_the_topic_is_another(text: str) -> None:
    try:
        edge, leaf = TOPICS.edge_of(text)
    except WireError:
        return
    assert text == f"loquet/casaco/edge/{edge}/{leaf}"
