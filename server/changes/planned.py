"""How is a change of the calendar tried before it is made? A plan says what the bundle is with it, and changes nothing.

The page asks `tried` with the bundle in force, shows what would come of it, and then has `made` do it: on what the
tables hold by then, checked anew, written by its differences and audited (server/changes/bundle.py). A plan that meets
something else than whoever decides has seen says so, and nothing is overwritten. Rules go by it: they are to be
published then.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlmodel import Session

from policy.bundle import Bundle
from policy.check import contradictions
from policy.forms import malformed
from server.audit import Decided
from server.changes.bundle import end, put, set_site
from server.changes.outcomes import Done, Meanwhile, Wrong
from server.errors import ImportRefusedError
from server.publish.bundle import held, site_said

CHANGED_LATER = ("access_points", "tiers", "events", "invitations", "machines", "kinds")
"""The collections that a plan may change, beside the site itself."""


@dataclass(frozen=True, slots=True)
class Planned:
    """The bundle with the change, and the places in it where something is wrong that each field answers for."""

    bundle: Bundle
    fields: tuple[tuple[str, str], ...] = ()


Plan = Callable[[Bundle], Planned | Wrong | Meanwhile]


def tried(bundle: Bundle, plan: Plan) -> Bundle | Wrong | Meanwhile:
    """What the bundle would be."""
    planned = plan(bundle)
    if not isinstance(planned, Planned):
        return planned
    fields = dict.fromkeys(_wrong(planned))
    return Wrong(tuple(fields)) if fields else planned.bundle


def made(session: Session, decided: Decided, plan: Plan) -> Done | Wrong | Meanwhile:
    """In the caller's transaction. Raises ImportRefusedError for what cannot be kept."""
    before = _kept(session)
    after = tried(before, plan)
    if not isinstance(after, Bundle):
        return after
    if after.site != before.site:
        set_site(session, after.site, decided)
    for name in CHANGED_LATER:
        known = {part.id: part for part in getattr(before, name)}
        wanted = getattr(after, name)
        if gone := known.keys() - {part.id for part in wanted}:
            end(session, name, [(which,) for which in sorted(gone)], decided)
        put(session, [part for part in wanted if known.get(part.id) != part], decided)
    return Done()


def _kept(session: Session) -> Bundle:
    """As much of the bundle as a plan goes by."""
    site = site_said(session)
    if site is None:
        raise ImportRefusedError("there is no site yet: start once with --bundle FILE")
    return Bundle(
        format="loquet.bundle/1",
        site=site,
        access_points=held(session, "access_points"),
        tiers=held(session, "tiers"),
        members=held(session, "members"),
        events=held(session, "events"),
        invitations=held(session, "invitations"),
        machines=held(session, "machines"),
        kinds=held(session, "kinds"),
    )


def _wrong(planned: Planned) -> Iterator[str]:
    """The fields that a bundle would be refused for."""
    bundle = planned.bundle
    said = Bundle(
        format=bundle.format,
        site=bundle.site,
        access_points=bundle.access_points,
        tiers=bundle.tiers,
        members=bundle.members,
        events=bundle.events,
        invitations=bundle.invitations,
        machines=bundle.machines,
        kinds=bundle.kinds,
    )
    for problem in (*malformed(said), *contradictions(said)):
        for place, field in planned.fields:
            if problem.key.startswith(place):
                yield field
                break
