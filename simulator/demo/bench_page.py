"""The demo's own pages: /bench, where one lays badges on and pulls plugs, and the bar that changes how time passes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, abort, current_app, redirect, render_template, request, url_for
from flask.ctx import RequestContext
from flask.typing import ResponseReturnValue

from policy.instants import instant
from policy.reasons import Reason
from server.pages.channel_form import NAMES
from server.pages.login import back_to
from server.queries.history import Passage
from server.roles import EVERYBODY, STAFF
from server.text.dates import zone
from server.text.named import who
from server.text.reasons import Words, words
from server.text.translate import gettext
from server.web.access import BENCH, Access, Group
from server.web.live import STILL
from server.web.sessions import account, context, sees_names
from simulator.demo import bench_words
from simulator.demo.bench_badges import STRANGER, Badge, badges
from simulator.demo.bench_words import t
from simulator.demo.mailbox import Letters
from simulator.demo.picture import Picture
from simulator.demo.world import FRAME, IN_THE_GARAGE, READERS, World
from simulator.pace import SPEEDS
from simulator.remote import Stages

MAX_STREAMS = 6
"""Open bench pages that are live; each holds a thread of the web server."""
RETRY = 2000
"""ms after which a page asks again whose stream has ended: one too many gets a picture so often."""
LOOK_AGAIN = 1.0
"""Seconds after which a picture is drawn again, changed or not: it shows the time."""

ACCESS = {
    ("GET", "/bench"): Access(STAFF, label=BENCH, group=Group.SETTINGS),
    ("POST", "/bench"): Access(STAFF),
    ("GET", "/bench/mailbox"): Access(STAFF),
    ("GET", "/bench/stream"): Access(STAFF, page=False),
    ("GET", "/bench/static/<path:filename>"): Access(EVERYBODY),
    ("POST", "/demo/speed"): Access(EVERYBODY),
}
"""The bench shows names, so it asks for the login; how fast time passes is everybody's at the demo."""

ORDERS = frozenset({"enrolment.begin", "doors.open_door", "doors.unlock", "doors.relock"})
"""Pages' endpoints that make a door do something at once."""
Act = Callable[[World], object]


@dataclass(frozen=True, slots=True)
class Tap:
    """A tap with what the page says of it. at: ms since 1970 UTC."""

    at: int
    reader: str
    who: str
    granted: bool
    words: Words
    stages: Stages


def blueprint(world: World, letters: Letters) -> Blueprint:
    """The bench of this world, for server.app.create_app. letters: what was sent."""
    page = Blueprint(
        "bench", __name__, template_folder="templates", static_folder="static", static_url_path="/bench/static"
    )
    streams = Streams(world)
    page.add_url_rule("/bench", "page", lambda: _show(world), methods=["GET"])
    page.add_url_rule("/bench", "act", lambda: _act(world), methods=["POST"])
    page.add_url_rule("/bench/mailbox", "mailbox", lambda: _mailbox(letters), methods=["GET"])
    page.add_url_rule("/bench/stream", "stream", streams.open, methods=["GET"])
    page.add_url_rule("/demo/speed", "speed", lambda: _speed(world), methods=["POST"])
    page.record(lambda state: state.app.config["FOOT"].append("demo_bar.html"))
    page.record(lambda state: state.app.config["ACCESS"].update(ACCESS))
    page.before_app_request(lambda: _slow_down(world))
    page.app_context_processor(lambda: {"demo": world, "demo_speeds": SPEEDS, "t": t})
    return page


def _show(world: World) -> str:
    return render_template("bench.html", scene=_scene(world, world.picture()))


def _mailbox(letters: Letters) -> str:
    channels = {channel: gettext(name) for channel, name in NAMES.items()}
    return render_template("mailbox.html", letters=letters.latest_first(), channels=channels)


def _scene(world: World, picture: Picture) -> str:
    """The part of the page that changes."""
    today = datetime.fromtimestamp(picture.now / 1000, zone()).date().isoformat()
    return render_template(
        "bench_scene.html",
        picture=picture,
        badges=badges(world.bundle, today),
        taps=[_tap(stages, picture.now) for stages in picture.taps],
        bench=bench_words,
    )


def _tap(stages: Stages, now: int) -> Tap:
    """The words are those of the other pages."""
    current = context().current()
    member = next((m for m in current.bundle.members if m.id == stages.member), None)
    passage = Passage(
        id=0,
        edge="",
        journal="",
        seq=stages.seq,
        at=instant(stages.at),
        reader=stages.reader,
        direction="out" if stages.reader == READERS[1] else "in",
        credential=stages.credential,
        member=stages.member,
        name=member.name if member else None,
        granted=stages.granted,
        reason=Reason(stages.reason),
    )
    said = words(passage, current, now, to_member=True)
    return Tap(passage.at, stages.reader, who(current.called, passage), stages.granted, said, stages)


class Streams:
    """Server-sent events `scene`, each the whole part of the page that changes; `still` when nothing did."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._open = 0

    def open(self) -> ResponseReturnValue:
        """The pictures as they come; for one page too many, a single one."""
        asker = current_app.request_context(request.environ)
        live = self._open < MAX_STREAMS
        answer = Response(self._events(asker, live=live), content_type="text/event-stream")
        if live:
            self._open += 1
            answer.call_on_close(self._closed)
        return answer

    def _closed(self) -> None:
        self._open -= 1

    def _events(self, asker: RequestContext, *, live: bool) -> Iterator[str]:
        """Each picture is drawn for the one who asked, with the rights that they still have."""
        yield f"retry: {RETRY}\n\n"
        shown, number = "", -1
        while not self._world.ended:
            picture = self._world.wait(number, LOOK_AGAIN)
            number = picture.number
            with asker.copy():
                if not sees_names():
                    return
                scene = _scene(self._world, picture)
            yield _event(scene) if scene != shown else STILL
            if not live:
                return
            shown = scene
            self._world.rest(FRAME)


def _event(scene: str) -> str:
    lines = "".join(f"data: {line}\n" for line in scene.splitlines() if line.strip())
    return f"event: scene\n{lines}\n"


def _slow_down(world: World) -> None:
    """What is ordered of a door from a page happens at a speed that eyes can follow: its seconds are the site's."""
    if request.method == "POST" and request.endpoint in ORDERS and account() is not None:
        _at_eyes_speed(world)


def _at_eyes_speed(world: World) -> None:
    if world.pace.speed != 1:
        world.pace.change(1)


def _act(world: World) -> ResponseReturnValue:
    """Do what a button says, at a speed that eyes can follow."""
    act = _wanted(world)
    _at_eyes_speed(world)
    world.do(lambda: act(world))
    if request.headers.get("HX-Request"):
        return render_template("demo_bar.html", oob=True)
    return redirect(url_for("bench.page"), 303)


def _wanted(world: World) -> Act:
    """What the form asks for. Aborts with 400 for what the bench cannot do."""
    on, reader, uid = request.form.get("on") == "1", request.form.get("reader", ""), request.form.get("uid", "")
    both = (_ready(world)[0].uid, STRANGER)
    acts: dict[str, Act] = {
        "push": lambda w: w.push(),
        "leave": lambda w: w.leave(),
        "force": lambda w: w.force(),
        "wedge": lambda w: w.wedge(on),
        "fire": lambda w: w.fire(on),
        "estop": lambda w: w.estop(on),
        "link": lambda w: w.link(on),
        "power": lambda w: w.power(on),
    }
    at_reader: dict[str, Act] = {
        "tap": lambda w: w.tap(reader, uid),
        "lay": lambda w: w.lay(reader, uid),
        "take": lambda w: w.take(reader, uid),
        "both": lambda w: w.lay(reader, *both),
        "plug": lambda w: w.plug(reader, on),
    }
    wanted = request.form.get("act", "")
    if wanted in acts:
        return acts[wanted]
    if (
        wanted not in at_reader
        or reader not in (*READERS, *IN_THE_GARAGE.values())
        or (wanted in ("tap", "lay", "take") and not _known(world, uid))
    ):
        abort(400)
    return at_reader[wanted]


def _known(world: World, uid: str) -> bool:
    """Whether the bench has this badge, or somebody's lies there to be taken away."""
    ready = _ready(world)
    picture = world.picture()
    everywhere = (*picture.readers, *(machine.reader for machine in picture.machines))
    lying = (badge for reader in everywhere for badge in reader.badges)
    return uid in {badge.uid for badge in ready} or uid in lying


def _ready(world: World) -> "tuple[Badge, ...]":
    today = datetime.fromtimestamp(world.pace.now() / 1000, zone()).date().isoformat()
    return tuple(badges(world.bundle, today))


def _speed(world: World) -> ResponseReturnValue:
    """Change how fast time passes, and back to the page one came from."""
    try:
        world.pace.change(int(request.form.get("speed", "")))
    except ValueError:
        abort(400)
    return back_to(request.form.get("back"))
