"""A machine's page says what its printer does, by whose word; and that its power stays on."""

from typing import Any

import pytest
from msgspec.structs import replace
from sqlmodel import delete, select

from policy.instants import text
from policy.terms import MINUTE
from server.models import Edge, JournalRow
from tests.support_accounts import account_of
from tests.support_lab import furnish, lab_bundle, runs
from tests.support_pages import Place
from tests.support_site import at
from wire.messages import Plug, PlugFault, Printer, PrinterState, Sensed

pytestmark = pytest.mark.sqlite


@pytest.fixture
def lab(place: Place) -> Place:
    furnish(place, lab_bundle())
    return place


def says(place: Place, state: PrinterState, ends: int | None = None, *, silent: bool = False) -> None:
    """The program of the printer that stands where the laser is."""
    end = None if ends is None else text(ends)
    place.speak(printers={"laser": Printer("octoprint", state, text(at(14, 5)), end, silent)})


SAID = {
    PrinterState.PRINTING: "L’imprimante imprime, d’après son programme OctoPrint.",
    PrinterState.PAUSED: "L’imprimante est en pause, d’après son programme OctoPrint : elle attend une main.",
    PrinterState.BUSY: "L’imprimante chauffe, bouge ou refroidit, d’après son programme OctoPrint.",
    PrinterState.UNKNOWN: "OctoPrint ne sait pas ce que fait l’imprimante.",
}


@pytest.mark.parametrize("state", SAID)
def test_what_it_does_is_said_on_its_page_and_on_the_board(lab: Place, state: PrinterState) -> None:
    says(lab, state)
    brigitte = account_of(lab, "brigitte")
    assert SAID[state] in lab.page("/machines/laser", brigitte)
    assert SAID[state] in lab.page("/machines", brigitte)
    assert "imprimante" not in lab.page("/machines/saw", brigitte)


def test_until_when_it_prints_is_its_program_s_guess(lab: Place) -> None:
    says(lab, PrinterState.PRINTING, at(20, 40))
    assert "L’imprimante imprime, jusque vers 20 h 40 d’après son programme OctoPrint." in lab.page(
        "/machines/laser", lab.staff()
    )


def test_a_program_that_does_not_answer_is_named_with_its_last_word(lab: Place) -> None:
    says(lab, PrinterState.UNKNOWN, silent=True)
    assert "Son programme OctoPrint ne répond pas depuis 14 h 05." in lab.page(
        "/machines/laser", account_of(lab, "remy")
    )
    lab.now += 10 * MINUTE
    said = lab.page("/machines/laser", lab.staff())
    assert "OctoPrint" not in said, "the edge itself is silent: nobody knows"
    assert "état inconnu" in said


def test_one_that_does_nothing_says_nothing(lab: Place) -> None:
    says(lab, PrinterState.IDLE)
    assert "L’imprimante ne fait rien" not in lab.page("/machines", lab.staff())


def test_past_its_time_it_is_said_why_the_power_stays(lab: Place) -> None:
    brigitte = account_of(lab, "brigitte")
    assert "À l’heure dite, son courant est coupé." in lab.page("/machines/laser", brigitte)
    says(lab, PrinterState.PRINTING)
    said = lab.page("/machines/laser", brigitte)
    assert "À l’heure dite, son courant est coupé dès que l’imprimante a fini : le temps de trop compte." in said
    assert "Elle s’arrête si vous quittez le lieu, une fois l’impression finie." in said
    assert "Son courant reste" not in said
    runs(lab, "laser", "remy", at(18), until=at(19), cuts=False)
    said = lab.page("/machines/laser", brigitte)
    assert "dépasse" in said
    assert "Son courant reste tant qu’elle imprime, est en pause ou ne dit rien." in said


def test_no_page_ends_its_session_while_it_prints(lab: Place) -> None:
    runs(lab, "laser", "remy", at(19), at(19, 30))
    says(lab, PrinterState.PRINTING)
    fabien = account_of(lab, "fabien")
    refused = "son imprimante n’a pas fini, ou ne dit rien"
    assert refused in lab.words(fabien.get("/machines/laser/end", follow_redirects=True))
    token = lab.form_token(fabien, "/account")
    sent = fabien.post("/machines/laser/end", data={"began": text(at(19)), "csrf_token": token}, follow_redirects=True)
    assert refused in lab.words(sent)
    assert not lab.commands
    says(lab, PrinterState.IDLE)
    assert "Terminer la session" in lab.page("/machines/laser/end", fabien)


def test_an_edge_speaks_of_devices_at_its_own_machines_alone_and_of_instants(lab: Place) -> None:
    idle = Printer("octoprint", PrinterState.IDLE, text(at(14)))
    lab.speak(printers={"laser": idle, "elsewhere": idle})
    with lab.database.reading() as session:
        (edge,) = session.exec(select(Edge).where(Edge.id == "front"))
        told = {machine for machine, devices in (edge.devices or {}).items() if devices}
        assert told == {"laser"}
    lab.speak(printers={"laser": Printer("octoprint", PrinterState.IDLE, "yesterday")})
    assert lab.desk.troubles.count("front") == 1
    lab.speak()
    assert "OctoPrint" not in lab.page("/machines/laser", lab.staff())


def plugged(place: Place, fault: PlugFault | None = None, *, switches: bool = True, **more: Any) -> None:
    """The plug of the printer."""
    said = {"watts": 61.5, "off_seconds": 0.4, "audited": text(at(14, 5))} | more
    place.speak(plugs={"printer": Plug("shelly", switches, text(at(14)), fault, **said)})


def test_a_plug_says_how_safe_it_is_what_flows_and_how_fast_it_went_off(lab: Place) -> None:
    plugged(lab)
    said = lab.page("/machines/printer", account_of(lab, "brigitte"))
    assert "Une prise Shelly donne son courant : pas une sécurité, moins sûr qu’un relais câblé." in said
    assert "Sans nouvelles du boîtier, elle s’éteint seule en 30 s." in said
    assert "La dernière fois qu’il l’a éteinte, elle a mis 1 s au plus. 62 W en ce moment." in said
    assert "réglages" not in said, "they are the fab managers' business"
    assert "prise" not in lab.page("/machines/laser", lab.staff())


def test_fab_managers_read_when_its_settings_were_read_and_which_is_wrong(lab: Place) -> None:
    fabien = account_of(lab, "fabien")
    plugged(lab)
    assert "Ses réglages, relus 14 h 05, sont bons." in lab.page("/machines/printer", fabien)
    plugged(lab, audited=None, off_seconds=None)
    said = lab.page("/machines/printer", fabien)
    assert "Ses réglages n’ont pas encore été relus." in said
    assert "elle a mis" not in said
    plugged(lab, PlugFault.SETTINGS, wrong="PowerOnState = 1")
    assert "Réglages à corriger : PowerOnState = 1." in lab.page("/machines/printer", fabien)


def test_rules_by_which_no_plug_may_switch_it_are_said_while_it_runs_and_after(lab: Place) -> None:
    """The board had it free, and its edge let nobody start it."""
    brigitte, fabien = account_of(lab, "brigitte"), account_of(lab, "fabien")
    machines = tuple(replace(one, attended=True) if one.id == "printer" else one for one in lab_bundle().machines)
    furnish(lab, replace(lab_bundle(), machines=machines))
    plugged(lab, switches=False)
    assert "prise ne" not in lab.page("/machines", brigitte), "beside a relay it has no say"
    plugged(lab)
    assert "en panne Une prise ne peut pas donner son courant : selon ses règles, on peut s’y blesser" in lab.page(
        "/machines/printer", brigitte
    )
    assert "Ce qui aide : câbler un relais, ou revoir ses règles." in lab.page("/machines", fabien)
    runs(lab, "printer", "remy", at(19), at(23))
    ends = "Sa prise ne suffit plus, selon ses nouvelles règles : la session s’arrête dans 5 min au plus."
    assert ends in lab.page("/machines/printer", brigitte)
    assert f"{ends} Ce qui aide : câbler un relais, ou revoir ses règles." in lab.page("/machines", fabien)


def test_a_current_sensor_without_sense_is_said_on_page_and_board_until_it_is_mended(lab: Place) -> None:
    """The lamp was red and nobody could start it; only the journal knew why."""
    brigitte, fabien = account_of(lab, "brigitte"), account_of(lab, "fabien")
    said = "en panne Son capteur voit du courant alors qu’elle est coupée Ce qui aide : "

    lab.speak(sensed={"laser": Sensed(unpowered=True)})
    assert f"{said}prévenir l’équipe, ou un responsable du fablab." in lab.page("/machines/laser", brigitte)
    assert f"{said}couper à la main, puis vérifier le capteur" in lab.page("/machines", fabien)
    assert said not in lab.page("/machines/printer", fabien)
    with lab.database.transaction() as session:
        session.exec(delete(JournalRow))  # their time was over: the finding stands
    assert said in lab.page("/machines", fabien)
    lab.speak(sensed={"laser": Sensed()})
    assert said not in lab.page("/machines", fabien)


def test_a_turned_service_key_is_said_on_page_and_board_since_when_and_to_whom_it_helps_how(lab: Place) -> None:
    """Nobody could start the machine, and nothing said why."""
    brigitte, fabien = account_of(lab, "brigitte"), account_of(lab, "fabien")
    lab.speak(sensed={"laser": Sensed(service=text(at(14, 5)))})
    said = "en entretien Clé de service tournée depuis 14 h 05 elle ne démarre pour personne"
    for path in ("/machines", "/machines/laser"):
        assert said in lab.page(path, brigitte), path
        assert "ramener la clé" not in lab.page(path, brigitte), path
        assert f"{said} Ce qui aide : ramener la clé de service, l’entretien fini." in lab.page(path, fabien), path
    assert "Clé de service" not in lab.page("/machines/printer", fabien)
    lab.speak(sensed={"laser": Sensed()})
    assert "Clé de service" not in lab.page("/machines", fabien)


@pytest.mark.parametrize(("fault", "said"), [
    (PlugFault.SILENT, "Sa prise ne répond pas"),
    (PlugFault.SETTINGS, "Les réglages de sa prise ne sont pas bons, ou illisibles"),
    (PlugFault.CAME_BACK, "Sa prise s’est allumée toute seule"),
    (PlugFault.DISOBEYS, "Sa prise n’obéit pas"),
    (PlugFault.LIES, "Sa prise se dit éteinte, et du courant passe"),
])  # fmt: skip
def test_a_fault_of_its_plug_is_said_to_everybody_with_what_helps(lab: Place, fault: PlugFault, said: str) -> None:
    plugged(lab, fault)
    assert f"en panne {said} Ce qui aide : prévenir l’équipe" in lab.page(
        "/machines/printer", account_of(lab, "brigitte")
    )
    assert said in lab.page("/machines", account_of(lab, "fabien"))


def test_one_beside_a_relay_only_tells_what_flows(lab: Place) -> None:
    plugged(lab, PlugFault.SILENT, switches=False)
    said = lab.page("/machines/printer", account_of(lab, "fabien"))
    assert "Une prise Shelly dit ce qu’elle consomme." in said
    assert "en panne" not in said
    assert "moins sûr" not in said
    assert "en ce moment" not in said
    assert "réglages" not in said
