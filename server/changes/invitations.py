"""What does the desk decide about who is expected? A member is let in for a while, whatever they have taken out."""

from msgspec.structs import replace

from policy.bundle import Bundle, Invitation
from server.changes.outcomes import Meanwhile, Wrong
from server.changes.planned import Plan, Planned


def invite(wanted: Invitation) -> Plan:
    """A new invitation."""

    def plan(bundle: Bundle) -> Planned | Wrong | Meanwhile:
        there = f"invitations[{len(bundle.invitations)}]."
        keys = (("member", "who"), ("start", "date"), ("end", "until"), ("access_points", "access_points"))
        places = tuple((there + key, field) for key, field in keys)
        return Planned(replace(bundle, invitations=(*bundle.invitations, wanted)), places)

    return plan


def withdraw(which: str) -> Plan:
    """They are not expected any more."""

    def plan(bundle: Bundle) -> Planned | Wrong | Meanwhile:
        kept = tuple(one for one in bundle.invitations if one.id != which)
        return Meanwhile() if kept == bundle.invitations else Planned(replace(bundle, invitations=kept))

    return plan
