"""What does the server keep? One table for each thing, in a file for each noun.

Names, UIDs and passages are here and nowhere else. No `from __future__ import annotations` in these files: SQLModel
reads the annotations.

What a bundle says is never deleted, it is ended: `ended` says when, null while it holds. position: its place in the
bundle's list. start, end: as the bundle wrote them, local to the site or with an offset; start_at, end_at: in UTC.
"""

from server.models.accounts import Account, AccountLink, AccountSession, ApiToken, OidcIdentity, Passkey
from server.models.audit import AuditRow
from server.models.bookings import Booking, BookingWait
from server.models.carnet_mail import CarnetMail
from server.models.channels import ChannelChoice
from server.models.edges import AlertTaken, DoorState, Edge, GivenOrder, Published, Versioned
from server.models.fablab import (
    Certification,
    CertificationEntry,
    Machine,
    MachineFault,
    MachineKind,
    MachineOut,
    MachineSheet,
    Quota,
)
from server.models.feeds import CalendarFeed
from server.models.guests import Agreement, GuestDay
from server.models.journal import (
    AdhocShift,
    CountKept,
    HourKept,
    JournalRow,
    MachineBusy,
    MachineSession,
    MachineStop,
    PaidUnit,
    Position,
    Presence,
    Visitor,
)
from server.models.ledger import BankCount, BankDispute, BankEntry, CarnetEntry, Credit
from server.models.messages import Message
from server.models.people import Credential, DayBadge, Invitation, Member, MemberImport, Pass
from server.models.rota import Event, EventSeries, RotaChange, RotaOffer, RotaPattern, Shift
from server.models.site import AccessPoint, Lockdown, Site, Tier
from server.models.training import TrainingSeat, TrainingSession
from server.models.watches import EveningWatch

__all__ = [
    "AccessPoint",
    "Account",
    "AccountLink",
    "AccountSession",
    "AdhocShift",
    "Agreement",
    "AlertTaken",
    "ApiToken",
    "AuditRow",
    "BankCount",
    "BankDispute",
    "BankEntry",
    "Booking",
    "BookingWait",
    "CalendarFeed",
    "CarnetEntry",
    "CarnetMail",
    "Certification",
    "CertificationEntry",
    "ChannelChoice",
    "CountKept",
    "Credential",
    "Credit",
    "DayBadge",
    "DoorState",
    "Edge",
    "EveningWatch",
    "Event",
    "EventSeries",
    "GivenOrder",
    "GuestDay",
    "HourKept",
    "Invitation",
    "JournalRow",
    "Lockdown",
    "Machine",
    "MachineBusy",
    "MachineFault",
    "MachineKind",
    "MachineOut",
    "MachineSession",
    "MachineSheet",
    "MachineStop",
    "Member",
    "MemberImport",
    "Message",
    "OidcIdentity",
    "PaidUnit",
    "Pass",
    "Passkey",
    "Position",
    "Presence",
    "Published",
    "Quota",
    "RotaChange",
    "RotaOffer",
    "RotaPattern",
    "Shift",
    "Site",
    "Tier",
    "TrainingSeat",
    "TrainingSession",
    "Versioned",
    "Visitor",
]
