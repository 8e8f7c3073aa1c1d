"""Does the bench do what its buttons say, show what the door does, and keep names to those who are logged in?"""

import re
from collections.abc import Iterator
from pathlib import Path
from shutil import copy

import pytest
from flask.testing import FlaskClient

from policy.bundle import Role
from server.app import create_app
from server.changes.messages import Channel
from server.database.engine import Database
from simulator.demo import bench_page
from simulator.demo.bench_badges import STRANGER, badges
from simulator.demo.bench_page import MAX_STREAMS
from simulator.demo.bench_words import COLOURS, SIGNALS
from simulator.demo.cast import IN, OUT
from simulator.demo.lamp import SIGNALS as KNOWN
from simulator.demo.mailbox import Letters
from simulator.remote import Command, Lay, Move, Output, Plug, Stages, Take
from tests.support_pages import Place, plain
from tests.support_server import site_database
from tests.support_world import BUNDLE, NIGHT, Site

READY = badges(BUNDLE, "2026-11-24")
NOMAD = READY[0].uid


class Bench:
    """A logged-in browser on the bench of a site with an edge that only remembers."""

    def __init__(self, database: Path) -> None:
        self.site = Site(NIGHT)
        self.letters = Letters(lambda: NIGHT)
        self.place = Place(Database(f"sqlite:///{database}"), now=NIGHT)
        self.place.app = create_app(self.place.context(), [bench_page.blueprint(self.site.world, self.letters)])
        self.public = self.place.client = self.place.app.test_client()
        self.team = self.place.staff()

    def press(self, client: FlaskClient | None = None, path: str = "/bench", **fields: object) -> int:
        """Send a form; the status of the answer, once the world has done it."""
        client = client or self.team
        token = self.place.form_token(client, "/bench" if client is self.team else "/login")
        answer = client.post(path, data={**fields, "csrf_token": token})
        self.site.do()
        return answer.status_code

    @property
    def told(self) -> list[Command]:
        return self.site.edge.told

    def page(self, query: str = "") -> str:
        return self.place.page(f"/bench{query}", self.team)

    def close(self) -> None:
        self.site.world.stop()
        self.place.database.close()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database made once, for copies."""
    folder = tmp_path_factory.mktemp("bench")
    site_database(folder, BUNDLE).close()
    return folder / "loquet.db"


@pytest.fixture
def bench(template: Path, tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(Path(copy(template, tmp_path)))
    yield bench
    bench.close()


def test_the_bar_stands_under_every_page_and_breaks_none(bench: Bench) -> None:
    pages = [
        str(one) for one in bench.place.app.url_map.iter_rules() if "GET" in (one.methods or ()) and not one.arguments
    ]
    said = {}
    for path in pages:
        with bench.team.get(path) as answer:
            said[path] = answer.status_code
    assert len(said) > 60
    assert [path for path, status in said.items() if status >= 500] == []


def test_the_public_is_sent_to_the_login(bench: Bench) -> None:
    answer = bench.public.get("/bench")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login?next=/bench")
    assert bench.public.get("/bench/stream").status_code == 401
    assert bench.press(bench.public, act="push") == 401


def test_what_was_sent_can_be_read(bench: Bench) -> None:
    bench.letters.take(
        Channel.NTFY, "casaco-gardien", "Ce soir change", "Personne n’ouvre plus.\n<b>\nhttp://localhost:8000/gardiens"
    )
    assert 'href="/bench/mailbox"' in bench.team.get("/bench").text
    shown = bench.team.get("/bench/mailbox").text
    for word in (
        "Ce soir change",
        "ntfy · casaco-gardien",
        "Personne n’ouvre plus.",
        "&lt;b&gt;",
        'href="http://localhost:8000/gardiens"',
        "4\N{NO-BREAK SPACE}h\N{NO-BREAK SPACE}20",
    ):
        assert word in shown, word
    assert bench.public.get("/bench/mailbox").status_code == 303


def test_a_badge_is_laid_on_and_taken_away(bench: Bench) -> None:
    assert bench.press(act="lay", reader=IN, uid=NOMAD) == 303
    assert "Reprendre" in bench.page()
    assert bench.press(act="take", reader=IN, uid=NOMAD) == 303
    assert bench.told == [Lay(IN, NOMAD), Take(IN, NOMAD)]


def test_the_way_in_and_the_way_out_are_taps_and_leaving_a_badge_is_the_special_press(bench: Bench) -> None:
    text = bench.team.get("/bench").text
    for reader in (IN, OUT):
        for press, does in ((f"b-{reader}-{NOMAD}", "tap"), (f"lay-{reader}-{NOMAD}", "lay")):
            form = next(form for form in text.split("<form") if f'id="{press}"' in form)
            assert f'name="act" value="{does}"' in form
    assert bench.press(act="tap", reader=IN, uid=NOMAD) == 303
    assert bench.told == [Lay(IN, NOMAD)], "until it is answered: tests/simulator/demo/test_street.py"


def test_two_badges_at_once(bench: Bench) -> None:
    bench.press(act="both", reader=OUT)
    assert bench.told == [Lay(OUT, NOMAD), Lay(OUT, STRANGER)]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"act": "leave"}, [Move("rex", True), Move("contact", True)]),
        ({"act": "force"}, [Move("contact", True)]),
        ({"act": "push"}, []),
        ({"act": "fire", "on": 1}, [Move("fire", True)]),
        ({"act": "plug", "reader": IN, "on": 0}, [Plug(IN, False)]),
    ],
)
def test_the_buttons_at_the_door(bench: Bench, fields: dict[str, object], told: list[Command]) -> None:
    assert bench.press(**fields) == 303
    assert bench.told == told


def test_a_push_in_vain_is_said(bench: Bench) -> None:
    assert "elle ne cède pas" not in bench.page()
    bench.press(act="push")
    assert "Verrouillée : elle ne cède pas." in bench.page()


def test_network_and_power_are_cut_and_come_back(bench: Bench) -> None:
    bench.press(act="link", on=0)
    bench.press(act="power", on=0)
    said = bench.page()
    assert "réseau coupé" in said
    assert "la porte n’a pas de courant" in said
    bench.press(act="link", on=1)
    bench.press(act="power", on=1)
    assert "sous tension" in bench.page()
    assert [entry for entry in bench.site.edge.log if isinstance(entry, str)] == ["on", "cut", "on"]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"act": "dance"},
        {"act": "lay", "reader": IN, "uid": "04ffffff"},
        {"act": "lay", "reader": "cave-in", "uid": NOMAD},
        {"act": "tap", "reader": IN, "uid": "04ffffff"},
        {"act": "plug", "reader": "", "on": 1},
        {"act": "both", "reader": "x"},
    ],
)
def test_what_the_bench_cannot_do_is_refused(bench: Bench, fields: dict[str, object]) -> None:
    assert bench.press(**fields) == 400
    assert not bench.told


def test_a_form_without_its_token_is_refused(bench: Bench) -> None:
    for path in ("/bench", "/demo/speed"):
        assert bench.team.post(path, data={"act": "push", "speed": 60}).status_code == 400
    assert bench.site.pace.speed == 0


def test_a_gesture_brings_time_to_a_speed_that_eyes_can_follow(bench: Bench) -> None:
    bench.press(act="push")
    assert bench.site.pace.speed == 1


def test_the_speed_is_everybodys_and_leads_back(bench: Bench) -> None:
    token = bench.place.form_token(bench.public)
    elsewhere = ("//elsewhere.example", "https://elsewhere.example", "/\t/elsewhere.example", "/\\elsewhere.example")
    for back, expected in (("/today", "/today"), ("/", "/"), *((address, "/") for address in elsewhere)):
        answer = bench.public.post("/demo/speed", data={"speed": 10, "back": back, "csrf_token": token})
        assert (answer.status_code, answer.headers["Location"]) == (303, expected)
    assert bench.site.pace.speed == 10
    assert 'value="10" aria-pressed="true"' in bench.public.get("/").text


@pytest.mark.parametrize("speed", ["7", "fast", "", "-1"])
def test_another_speed_is_refused(bench: Bench, speed: str) -> None:
    assert bench.press(bench.public, "/demo/speed", speed=speed) == 400
    assert bench.site.pace.speed == 0


def test_the_bar_is_on_every_page(bench: Bench) -> None:
    for path in ("/", "/today", "/login"):
        assert "matériel simulé" in bench.public.get(path).text


def test_a_decision_is_said_in_words_with_its_stages(bench: Bench) -> None:
    member = next(c.member for c in BUNDLE.credentials if c.uid.lower() == NOMAD)
    stages = Stages(
        "2026-11-24T03:20:00.000Z", IN, 5, False, "outside_hours", member, "ab", 26, 0.00291, 31e-6, 240e-6, 0.0013
    )
    bench.site.says(stages)
    said = bench.page()
    assert "4 h 20" in said
    assert "fermé pour votre formule ; prochaine ouverture" in said
    for stage in ("2,9 ms", "26 échanges", "31 µs", "240 µs", "1,3 ms", "…"):
        assert stage in said.replace("\N{NO-BREAK SPACE}", " ")
    english = bench.page("?lang=en").replace("\N{NO-BREAK SPACE}", " ")
    assert "closed for your tier" in english
    assert "2.9 ms" in english


def test_the_garage_s_door_opens_on_the_bench(bench: Bench) -> None:
    assert "Gâche verrouillée" in bench.page().partition("Porte du garage")[2]
    assert bench.press(act="tap", reader="garage-in", uid=NOMAD) == 303
    assert bench.site.workshop.told == [Lay("garage-in", NOMAD)]
    assert bench.told == []
    bench.site.world.hear_workshop(Output(NIGHT, "strike", True))
    bench.site.do()
    assert "Gâche libérée" in bench.page().partition("Porte du garage")[2]
    assert not bench.site.world.picture().released, "the front door stays shut"


def test_a_machine_keeps_its_name_as_it_is_written(bench: Bench) -> None:
    bench.site.says(Stages("2026-11-24T03:20:00.000Z", "cnc-tap", 5, True, "walk_up", "m012", "ab", 26, 0.0029, 31e-6))
    assert "Fraiseuse CNC, 4 h 20" in bench.page().replace("\N{NO-BREAK SPACE}", " ")


def test_lamp_strike_and_contact_are_said_in_words(bench: Bench) -> None:
    bench.site.says(Output(NIGHT, "strike", True), Output(NIGHT, f"{IN}.red", True), Output(NIGHT, f"{IN}.green", True))
    bench.site.do(lambda world: world.push())
    said = bench.page()
    for words in ("Lampe ambre", "Gâche libérée", "Contact ouverte"):
        assert words in said
    bench.site.do(lambda world: world.wedge(True), lambda world: world.fire(True))
    assert "Ôter la cale" in bench.page()
    assert "Fin d’alarme incendie" in bench.page()


def test_the_machines_have_their_own_edge_and_are_seen_to_run_and_to_be_stopped(bench: Bench) -> None:
    trained = READY[6].uid
    assert bench.press(act="tap", reader="cnc-tap", uid=trained) == 303
    assert bench.site.workshop.told == [Lay("cnc-tap", trained)]
    bench.site.says(Output(NIGHT, "cnc-tap.green", True), Output(NIGHT + 40, "cnc.interlock", True))
    assert 'id="power-cnc"><span class="mark good">en marche' in bench.team.get("/bench").text
    assert bench.press(act="estop", on=1) == 303
    assert Move("cnc.estop", True) in bench.site.workshop.told
    text = bench.team.get("/bench").text
    assert 'id="stop-cnc"><span class="mark bad">enfoncé' in text
    assert 'id="power-cnc"><span class="mark quiet">coupé' in text, "the button cuts by itself"
    assert not bench.told, "the door's edge hears nothing of it"


def test_there_are_words_for_every_signal_and_colour() -> None:
    assert set(SIGNALS) == set(KNOWN)
    assert {name for name, _, _ in COLOURS.values()} == {"off", "green", "red", "amber"}


def test_the_badges_are_one_for_each_thing_a_door_can_say() -> None:
    owners = {credential.uid.lower(): credential for credential in BUNDLE.credentials}
    members = {member.id: member for member in BUNDLE.members}
    tiers = [members[owners[badge.uid].member].tier if badge.uid in owners else None for badge in READY]
    assert tiers[:8] == ["nomade", "nomade", "resident", tiers[3], "equipe", "fabriqueur", tiers[6], "carnet-demi"]
    assert [badge.length for badge in READY[:3]] == [4, 7, 7]
    for badge in READY[:8]:
        member = members[owners[badge.uid].member]
        assert (member.status, member.valid_until, owners[badge.uid].status) == ("active", None, "active")
        assert member.valid_from is not None
        assert member.valid_from.isoformat() < "2026-11-24"
    assert Role.GARDIEN in members[owners[READY[3].uid].member].roles
    assert owners[READY[6].uid].member in {one.member for one in BUNDLE.bookings if one.start.startswith("2026-11-24")}
    assert owners[READY[8].uid].status == "lost"
    assert members[owners[READY[9].uid].member].status == "suspended"
    assert (READY[10].uid, READY[10].member) == (STRANGER, None)


def test_the_gardien_is_the_one_of_the_next_shift() -> None:
    for day in ("2026-11-24", "2026-11-25", "2026-11-28"):
        following = min((shift.start, shift.gardien) for shift in BUNDLE.shifts if shift.start >= day)[1]
        credential = next(c for c in BUNDLE.credentials if c.member == following and c.status == "active")
        assert badges(BUNDLE, day)[3].uid == credential.uid.lower()


def test_the_live_scene_follows_the_world(bench: Bench) -> None:
    with bench.team.get("/bench/stream", buffered=False) as answer:
        events = answer.iter_encoded()
        assert next(events) == b"retry: 2000\n\n"
        assert "aucun badge" in plain(next(events).decode()).lower()
        bench.site.do(lambda world: world.lay(IN, NOMAD))
        seen = next(event for event in events if b"event: scene" in event)
        assert f"take-{IN}-{NOMAD}" in seen.decode()
        assert not re.search(rb"^(?!event: |data: |$)", seen, re.MULTILINE), "one event, every line of it data"


def test_a_live_scene_ends_with_the_session_and_with_the_demo(bench: Bench) -> None:
    with bench.team.get("/bench/stream", buffered=False) as answer:
        events = answer.iter_encoded()
        assert b"event: scene" in [next(events), next(events)][1]
        token = bench.place.form_token(bench.team, "/bench")
        bench.team.post("/logout", data={"csrf_token": token})
        assert list(events) == []
    with bench.place.staff().get("/bench/stream", buffered=False) as answer:
        events = answer.iter_encoded()
        next(events)
        bench.site.world.stop()
        assert list(events) == []


def test_one_live_scene_too_many_is_a_single_picture(bench: Bench) -> None:
    answers = [bench.team.get("/bench/stream", buffered=False) for _ in range(MAX_STREAMS)]
    with bench.team.get("/bench/stream", buffered=False) as one_too_many:
        assert [event[:12] for event in one_too_many.iter_encoded()] == [b"retry: 2000\n", b"event: scene"]
    for answer in answers:
        answer.close()
    with bench.team.get("/bench/stream", buffered=False) as answer:
        events = answer.iter_encoded()
        assert len([next(events) for _ in range(3)]) == 3


def test_once_no_shift_is_left_the_bench_still_has_a_gardien() -> None:
    last = max(BUNDLE.shifts, key=lambda shift: shift.start)
    holder = next(member for member in BUNDLE.members if member.id == last.gardien)
    assert badges(BUNDLE, "2099-01-01")[3].member == holder.id


def test_what_is_ordered_of_a_door_from_a_page_slows_time_down(bench: Bench) -> None:
    assert set(bench.place.app.view_functions) >= bench_page.ORDERS
    bench.site.world.pace.change(60)
    bench.press(path="/members/zoe/enrolment", reader="front-in")
    assert bench.site.world.pace.speed == 1
    bench.site.world.pace.change(60)
    bench.press(bench.public, path="/members/zoe/enrolment", reader="front-in")
    assert bench.site.world.pace.speed == 60, "the public orders nothing"
