"""A badge's number in every way of writing it, and the numbers that no badge keeps."""

import json
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.doubts import doubtful
from policy.errors import BundleError
from policy.parse import parse
from policy.uids import decimals, digits, number
from tests.support_policy import fablab, read, site

SEVEN = "04610000000001"


@pytest.mark.parametrize(
    "written",
    [
        "04b100c4", "04B100C4", "04:B1:00:C4", "04-b1-00-c4", "04 B1 00 C4", "04B1 00C4", "0x04B100C4", "0X04b100c4",
        "0x04, 0xB1, 0x00, 0xC4", "0x04 0xB1 0x0 0xC4", "4:B1:0:C4", "4 b1 0 c4", "04.B1.00.C4", "04_B1_00_C4",
        " 04B100C4 ", "04\u00a0B1\u00a000\u00a0C4", "04;B1;00;C4",
    ],
)  # fmt: skip
def test_one_number_in_every_way_of_writing_it(written: str) -> None:
    assert number(written) == bytes.fromhex("04B100C4")
    credentials = [*site()["credentials"], {"uid": written, "member": "alice"}]
    assert read(site(credentials=credentials)).credentials[5].uid.upper() == "04B100C4"


@given(st.sampled_from([4, 7, 10]).flatmap(lambda size: st.binary(min_size=size, max_size=size)), st.data())
def test_what_is_put_between_the_bytes_counts_for_nothing(uid: bytes, data: st.DataObject) -> None:
    between = data.draw(st.sampled_from(["", ":", "-", " ", ", ", ":0x", " 0x"]))
    before = "0x" if "0x" in between else ""
    assert number(before + between.join(f"{byte:02X}" for byte in uid)) == uid


@pytest.mark.parametrize(
    "uid",
    [
        "04B1000",
        "04B100",
        "04B1000000",
        "04B1000G",
        "",
        "０４Ｂ１００００",
        "04:B1:00",
        "0x",
        "4:B1:0:C40",
        "04/B1/00/00",
    ],
)
def test_what_has_other_than_4_7_or_10_bytes_is_refused(uid: str) -> None:
    with pytest.raises(BundleError) as error:
        read(site(credentials=[*site()["credentials"], {"uid": uid, "member": "alice"}]))
    assert str(error.value).startswith('site.json: credentials[5].uid (of "alice") is ')
    assert "8, 14 or 20 hexadecimal digits" in str(error.value)


@pytest.mark.parametrize("uid", ["0078774468", "000078774468123456"[:17]])
def test_decimal_digits_are_told_from_others(uid: str) -> None:
    with pytest.raises(ValueError, match=r"decimal digits: convert it"):
        digits(uid)


@pytest.mark.parametrize("member", ["alice", "brigitte"])
def test_one_number_in_two_ways_of_writing_is_one_badge(member: str) -> None:
    credentials = [*site()["credentials"], {"uid": "04:b1:00:00", "member": member}]
    with pytest.raises(BundleError, match=r"credentials\[5\] is \"04b10000\": credentials\[0\] is the same"):
        parse(json.dumps(site(credentials=credentials)).encode(), "a.json", ZoneInfo)


@pytest.mark.parametrize(
    ("uid", "why"),
    [
        ("08B10000", "drawn anew at each tap"),
        ("88046100", "the start of a number of 7"),
        ("00000000", "no badge has this number"),
        ("FF" * 7, "no badge has this number"),
        ("00" * 10, "no badge has this number"),
    ],
)
def test_a_number_that_can_never_match_is_doubted_and_taken(uid: str, why: str) -> None:
    bundle = read(site(credentials=[*site()["credentials"], {"uid": uid, "member": "alice"}]))
    (doubt,) = doubtful(bundle)
    assert str(doubt).startswith(f'credentials[5].uid (of "alice") is "{uid}": ')
    assert why in doubt.why


@pytest.mark.parametrize("uid", ["04B10000", "080000" + "11" * 4, "88" * 7, "11111111", "0800" + "11" * 8])
def test_others_are_not_doubted(uid: str) -> None:
    assert list(doubtful(read(site(credentials=[{"uid": uid, "member": "alice"}])))) == []


def test_a_shift_of_nobody_with_the_role_is_doubted() -> None:
    shift = {"id": "s1", "gardien": "alice", "start": "2026-11-24T18:00", "end": "2026-11-24T22:00"}
    (doubt,) = doubtful(read(site(shifts=[shift])))
    assert str(doubt) == (
        'shifts[0].gardien (of "s1") is "alice": has not the role gardien, so this shift opens nothing: give the role, '
        "or name a gardien"
    )


def test_a_training_or_quota_for_a_kind_of_no_machine_is_doubted() -> None:
    trained = [{"member": "alice", "kind": kind} for kind in ("laser", "lazer", "cnc")]
    quotas = [{"kind": "printers", "minutes": 60, "period": "week"}]
    kinds = [{"id": "cnc"}]
    doubts = list(doubtful(read(fablab(certifications=trained, quotas=quotas, kinds=kinds))))
    remedy = "is it written so?"
    assert [str(doubt) for doubt in doubts] == [
        f'{key} is "{kind}": no machine is of this kind, and kinds has none ("{meant}"?): {remedy}'
        for key, kind, meant in (
            ('certifications[1].kind (of "alice")', "lazer", "laser"),
            ('quotas[0].kind (of "printers")', "printers", "printer"),
        )
    ]


def test_ids_that_look_alike_are_doubted() -> None:
    tiers = [*site()["tiers"], {"id": "n\u043emad", "grounds": []}, {"id": "studio 2", "grounds": []}]
    (doubt,) = doubtful(read(site(tiers=tiers)))
    assert str(doubt) == (
        'tiers[3].id is "n\u043emad" (its character 2 is U+043E CYRILLIC SMALL LETTER O): tiers[1].id, "nomad", '
        "looks like it and is another: is one meant?"
    )


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("0563537489", ("2196E651", "51E69621")),
        ("563 537 489", ("2196E651", "51E69621")),
        ("4294967295", ("FFFFFFFF",)),
        ("4294967296", ()),
        ("1236600990563841", ("0464AE9AC57E01", "017EC59AAE6404")),
        ("72057594037927936", ()),
        ("04A11CE0", ()),
        ("12345678", ()),
    ],
)
def test_decimal_digits_are_offered_in_either_order(written: str, meant: tuple[str, ...]) -> None:
    assert decimals(written) == meant
