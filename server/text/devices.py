"""What is said of the devices at a machine: what its printer does, by whose word, and what that means for its power."""

from math import ceil

from policy.instants import instant
from policy.terms import Instant
from server.text.dates import when
from server.text.translate import N_, gettext
from wire.messages import Plug, PlugFault, Printer, PrinterState

MAKES = {"tasmota": "Tasmota", "shelly": "Shelly", "zigbee2mqtt": "Zigbee2MQTT"}
FAULTS = {
    PlugFault.SILENT: (N_("Sa prise ne répond pas"), N_("vérifier la prise et son réseau.")),
    PlugFault.SETTINGS: (
        N_("Les réglages de sa prise ne sont pas bons, ou illisibles"),
        N_("les remettre ; ils sont relus chaque jour et à chaque connexion."),
    ),
    PlugFault.CAME_BACK: (N_("Sa prise s’est allumée toute seule"), N_("vérifier ses réglages et son bouton.")),
    PlugFault.DISOBEYS: (N_("Sa prise n’obéit pas"), N_("couper sur place et changer la prise.")),
    PlugFault.LIES: (
        N_("Sa prise se dit éteinte, et du courant passe"),
        N_("couper sur place et changer la prise."),
    ),
}
"""What is wrong, and what helps."""
PROGRAMS = {"octoprint": "OctoPrint", "moonraker": "Moonraker", "prusalink": "PrusaLink"}
STATES = {
    PrinterState.PRINTING: N_("L’imprimante imprime, d’après son programme %(program)s."),
    PrinterState.PAUSED: N_("L’imprimante est en pause, d’après son programme %(program)s : elle attend une main."),
    PrinterState.BUSY: N_("L’imprimante chauffe, bouge ou refroidit, d’après son programme %(program)s."),
    PrinterState.IDLE: N_("L’imprimante ne fait rien, d’après son programme %(program)s."),
    PrinterState.UNKNOWN: N_("Son programme %(program)s ne sait pas ce que fait l’imprimante."),
}


def printer(said: Printer, at: Instant) -> str:
    """What it does; of one whose program is silent, since when."""
    program = PROGRAMS.get(said.program, said.program)
    if said.silent:
        since = instant(said.since)
        if since > at:
            return gettext("Son programme %(program)s ne répond pas.", program=program)
        return gettext(
            "Son programme %(program)s ne répond pas depuis %(since)s.", program=program, since=when(since, at)
        )
    if said.ends is not None and said.state is PrinterState.PRINTING:
        end = when(instant(said.ends), at)
        return gettext(
            "L’imprimante imprime, jusque vers %(end)s d’après son programme %(program)s.", program=program, end=end
        )
    return gettext(STATES[said.state], program=program)


def power_stays() -> str:
    return gettext("Son courant reste tant qu’elle imprime, est en pause ou ne dit rien.")


def no_end(machine: str) -> str:
    """Why a fab manager does not end its session from a page."""
    return gettext(
        "%(machine)s : son imprimante n’a pas fini, ou ne dit rien. Arrêtez l’impression sur place ; en danger, arrêt "
        "d’urgence.",
        machine=machine,
    )


def plug_fault(plug: Plug | None) -> tuple[str, str]:
    """What is wrong with it, and what helps whoever looks after it."""
    fault = plug.fault if plug is not None else None
    lead, helps = FAULTS[fault or PlugFault.SILENT]
    return gettext(lead), gettext(helps)


def current_unpowered() -> tuple[str, str]:
    """Why nobody starts a machine whose sensor sees current without power, and what helps."""
    return (
        gettext("Son capteur voit du courant alors qu’elle est coupée"),
        gettext("couper à la main, puis vérifier le capteur et le contacteur ; personne ne la démarre d’ici là."),
    )


def no_safety() -> tuple[str, str]:
    """Why nobody starts a machine on a plug by whose rules somebody can be hurt, and what helps."""
    return (
        gettext("Une prise ne peut pas donner son courant : selon ses règles, on peut s’y blesser"),
        gettext("câbler un relais, ou revoir ses règles."),
    )


def ends_on_plug(*, remedy: bool) -> str:
    """Said while a session still runs there."""
    ends = gettext("Sa prise ne suffit plus, selon ses nouvelles règles : la session s’arrête dans 5 min au plus.")
    helps = gettext("Ce qui aide : %(remedy)s", remedy=no_safety()[1])
    return f"{ends} {helps}" if remedy else ends


def plug(said: Plug, at: Instant, *, manages: bool) -> list[str]:
    """What its machine's page says of it. manages: whether whoever reads sees to the settings."""
    make = MAKES.get(said.kind, said.kind)
    lines = [gettext("Une prise %(make)s dit ce qu’elle consomme.", make=make)]
    if said.switches:
        lines = [
            gettext(
                "Une prise %(make)s donne son courant : pas une sécurité, moins sûr qu’un relais câblé.",
                make=make,
            ),
            _off(said),
        ]
    if said.watts is not None and said.fault is not PlugFault.SILENT:
        lines.append(gettext("%(watts)s W en ce moment.", watts=round(said.watts)))
    return [*lines, *(_audit(said, at) if manages and said.switches else ())]


def _off(said: Plug) -> str:
    alone = gettext("Sans nouvelles du boîtier, elle s’éteint seule en 30 s.")
    if said.off_seconds is None:
        return alone
    took = gettext(
        "La dernière fois qu’il l’a éteinte, elle a mis %(seconds)s s au plus.", seconds=max(1, ceil(said.off_seconds))
    )
    return f"{alone} {took}"


def _audit(said: Plug, at: Instant) -> list[str]:
    """Its settings, as they were read last."""
    if said.wrong:
        return [gettext("Réglages à corriger : %(wrong)s.", wrong=said.wrong)]
    if said.audited is None or instant(said.audited) > at:
        return [gettext("Ses réglages n’ont pas encore été relus.")]
    return [gettext("Ses réglages, relus %(when)s, sont bons.", when=when(instant(said.audited), at))]
