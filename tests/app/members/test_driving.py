"""Who drives was admitted by another person and has every paper, valid today."""

import asyncio
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from app.foundation.database import Database
from app.foundation.ids import new_id
from app.members import service
from app.members.errors import DriverDocumentExpired
from app.members.papers import Paper, missing_papers
from app.members.queries import VALID_PAPERS_SQL
from app.members.roles import DocumentKind, Role
from tests.conftest import StandingClock
from tests.factories import Person, make_driver, make_member

ADDRESS = "/v1/driver-applications"
# The tests' clock shows 15:00 UTC; in Vaduz it is Friday 22 May 2026 too, until 22:00 UTC.
TODAY = date(2026, 5, 22)


@pytest.fixture
async def staff(owner: asyncpg.Connection, clock: StandingClock) -> Person:
    return await make_member(owner, Role.STAFF, now=clock.now())


@pytest.fixture
async def bo(owner: asyncpg.Connection, clock: StandingClock) -> Person:
    return await make_member(owner, now=clock.now(), name="Bo")


def application(**changed: date) -> dict[str, Any]:
    """An application with papers until next year, or until the day named for a kind."""
    until = dict.fromkeys(DocumentKind, TODAY + timedelta(days=365)) | changed
    return {
        "vehicle": {
            "make": "Skoda",
            "model": "Enyaq",
            "colour": "green",
            "plate": "FL 12345",
            "seats": 4,
        },
        "documents": [
            {"kind": kind, "number": "A-1", "expires_on": day.isoformat()}
            for kind, day in until.items()
        ],
    }


async def apply(client: httpx.AsyncClient, person: Person) -> dict[str, Any]:
    answer = await client.post(ADDRESS, json=application(), headers=person.act)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_an_applicant_becomes_a_driver_when_a_colleague_admits_them(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    database: Database,
    staff: Person,
    bo: Person,
) -> None:
    sent = await apply(client, bo)
    assert (sent["state"], sent["vehicle"]["plate"]) == ("submitted", "FL 12345")
    mine = await client.get(f"{ADDRESS}/mine", headers=bo.headers)
    assert mine.json() == sent

    admitted = await client.post(f"{ADDRESS}/{sent['id']}/admit", headers=staff.act)
    assert (admitted.status_code, admitted.json()["state"]) == (200, "admitted")
    me = await client.get("/v1/me", headers=bo.headers)
    assert me.json()["roles"] == ["driver", "rider"]
    kinds = await owner.fetch("select kind from account where member_id = $1 order by 1", bo.id)
    assert [row["kind"] for row in kinds] == ["driver", "rider"]
    events = await database.events_after([(bo.id, 0)])
    assert [event.type for event in events] == ["driver.applied", "driver.admitted"]


async def test_an_applicant_says_whether_the_car_takes_a_wheelchair(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock, bo: Person
) -> None:
    with_ramp = application()
    with_ramp["vehicle"]["takes_wheelchair"] = True
    cleo = await make_member(owner, now=clock.now())

    says = await client.post(ADDRESS, json=with_ramp, headers=cleo.act)
    says_nothing = await apply(client, bo)

    assert says.json()["vehicle"]["takes_wheelchair"] is True
    assert says_nothing["vehicle"]["takes_wheelchair"] is False


async def test_a_refused_applicant_reads_why_and_may_apply_again(
    client: httpx.AsyncClient, staff: Person, bo: Person
) -> None:
    sent = await apply(client, bo)
    address = f"{ADDRESS}/{sent['id']}/refuse"
    short = await client.post(address, json={"reason": "no"}, headers=staff.act)
    assert short.status_code == 422
    reason = "The insurance does not cover paying passengers."
    refused = await client.post(address, json={"reason": reason}, headers=staff.act)
    assert refused.status_code == 200

    mine = await client.get(f"{ADDRESS}/mine", headers=bo.headers)
    assert (mine.json()["state"], mine.json()["reason"]) == ("refused", reason)
    assert (await client.get("/v1/me", headers=bo.headers)).json()["roles"] == ["rider"]
    again = await apply(client, bo)
    assert again["id"] != sent["id"]


async def test_an_application_is_decided_once_also_when_eight_decide_at_once(
    client: httpx.AsyncClient, staff: Person, bo: Person
) -> None:
    address = f"{ADDRESS}/{(await apply(client, bo))['id']}/admit"
    answers = await asyncio.gather(*(client.post(address, headers=staff.act) for _ in range(8)))

    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 7}
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert refused.json()["type"] == "/problems/application-decided"


async def test_nobody_admits_themselves(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock, staff: Person
) -> None:
    sent = await apply(client, staff)
    answer = await client.post(f"{ADDRESS}/{sent['id']}/admit", headers=staff.act)
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/own-case")

    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await owner.execute(
            "update driver_application set state = 'admitted', decided_by = member_id,"
            " decided_at = $1",
            clock.now(),
        )
    assert refused.value.constraint_name == "nobody_admits_themselves"


async def test_only_staff_decides_and_lists(client: httpx.AsyncClient, bo: Person) -> None:
    sent = await apply(client, bo)
    admit = await client.post(f"{ADDRESS}/{sent['id']}/admit", headers=bo.act)
    listed = await client.get(ADDRESS, headers=bo.headers)

    assert {admit.status_code, listed.status_code} == {403}
    assert listed.json()["type"] == "/problems/role-missing"


async def test_somebody_elses_application_does_not_exist(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    staff: Person,
    bo: Person,
) -> None:
    sent = await apply(client, bo)
    eve = await make_member(owner, now=clock.now())
    for person, expected in ((bo, 200), (staff, 200), (eve, 404)):
        answer = await client.get(f"{ADDRESS}/{sent['id']}", headers=person.headers)
        assert answer.status_code == expected
    unknown = await client.post(f"{ADDRESS}/{new_id()}/admit", headers=staff.act)
    assert unknown.status_code == 404
    assert (await client.get(f"{ADDRESS}/mine", headers=eve.headers)).status_code == 404


async def test_there_is_one_open_application_also_when_five_are_sent_at_once(
    client: httpx.AsyncClient, owner: asyncpg.Connection, bo: Person
) -> None:
    answers = await asyncio.gather(
        *(client.post(ADDRESS, json=application(), headers=bo.act) for _ in range(5))
    )

    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 4}
    assert await owner.fetchval("select count(*) from vehicle") == 1


async def test_a_repeat_with_the_same_key_gets_the_first_answer(
    client: httpx.AsyncClient, bo: Person
) -> None:
    act = bo.act
    first = await client.post(ADDRESS, json=application(), headers=act)
    again = await client.post(ADDRESS, json=application(), headers=act)

    assert again.status_code == 201
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"


async def test_an_expired_paper_is_refused_by_its_kind(
    client: httpx.AsyncClient, clock: StandingClock, bo: Person
) -> None:
    body = application(driving_licence=TODAY)
    # An hour before midnight in Vaduz the paper holds; an hour after, though not yet in UTC, not.
    clock.moment = datetime.combine(TODAY, datetime.min.time(), clock.moment.tzinfo)
    clock.pass_time(22.5 * 3600)
    late = await client.post(ADDRESS, json=body, headers=bo.act)
    assert (late.status_code, late.json()["type"]) == (409, "/problems/driver-document-expired")
    assert late.json()["kinds"] == ["driving_licence"]

    clock.pass_time(-3600)
    assert (await client.post(ADDRESS, json=body, headers=bo.act)).status_code == 201


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body["documents"].pop(),
        lambda body: body["documents"].append(body["documents"][0]),
        lambda body: body["documents"][1].update(kind="driving_licence"),
        lambda body: body["documents"][1].update(expires_on="tomorrow"),
        lambda body: body["vehicle"].update(seats=9),
        lambda body: body["vehicle"].update(plate="A\x00B"),
        lambda body: body["vehicle"].update(plate="X" * 21),
        lambda body: body.update(state="admitted"),
    ],
)
async def test_an_application_of_another_form_is_refused(
    client: httpx.AsyncClient, bo: Person, change: Any
) -> None:
    body = application()
    change(body)
    answer = await client.post(ADDRESS, json=body, headers=bo.act)

    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-request")


async def test_malformed_json_is_refused_where_no_body_is_read_too(
    client: httpx.AsyncClient, staff: Person
) -> None:
    for address in (ADDRESS, f"{ADDRESS}/{new_id()}/admit"):
        headers = staff.act | {"Content-Type": "application/json"}
        answer = await client.post(address, content=b"{", headers=headers)
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"


async def test_pages_of_applications_skip_and_double_nothing(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock, staff: Person
) -> None:
    sent = [
        (await apply(client, await make_member(owner, now=clock.now())))["id"] for _ in range(5)
    ]
    await client.post(f"{ADDRESS}/{sent[4]}/admit", headers=staff.act)
    seen: list[str] = []
    cursor = None
    while cursor or not seen:
        asked: dict[str, Any] = {"state": "submitted", "limit": 2} | (
            {"cursor": cursor} if cursor else {}
        )
        page = (await client.get(ADDRESS, params=asked, headers=staff.headers)).json()
        assert len(page["items"]) <= 2
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]

    assert seen == sorted(sent[:4])
    for bad in ("nonsense", "ü", "A" * 21):
        answer = await client.get(ADDRESS, params={"cursor": bad}, headers=staff.headers)
        assert answer.status_code == 422


async def test_a_driver_renews_a_paper(
    client: httpx.AsyncClient, owner: asyncpg.Connection, database: Database, clock: StandingClock
) -> None:
    driver = await make_driver(owner, now=clock.now(), papers_until=TODAY)
    tomorrow = TODAY + timedelta(days=1)

    async def check() -> None:
        async with database.transaction() as tx:
            await service.check_papers(tx, driver_id=driver.id, today=tomorrow)

    async def valid() -> bool:
        condition = VALID_PAPERS_SQL.format(today="$2")
        on_shift = await owner.fetch(
            f"select from shift d where d.driver_id = $1 and {condition}",
            driver.id,
            tomorrow,
        )
        return len(on_shift) == 1

    with pytest.raises(DriverDocumentExpired) as expired:
        await check()
    assert expired.value.extra["kinds"] == list(DocumentKind)
    assert await valid() is False

    for kind in DocumentKind:
        paper = {"kind": kind, "number": "B-2", "expires_on": tomorrow.isoformat()}
        answer = await client.post("/v1/documents", json=paper, headers=driver.act)
        assert (answer.status_code, answer.json()) == (201, paper)
    await check()
    assert await valid() is True
    assert await owner.fetchval("select count(*) from document") == len(DocumentKind)


async def test_only_drivers_renew_and_never_with_an_old_paper(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock, bo: Person
) -> None:
    driver = await make_driver(owner, now=clock.now())
    yesterday = (TODAY - timedelta(days=1)).isoformat()
    paper = {"kind": "driving_licence", "number": "B-2", "expires_on": yesterday}
    old = await client.post("/v1/documents", json=paper, headers=driver.act)
    rider = await client.post("/v1/documents", json=paper, headers=bo.act)

    assert (old.status_code, old.json()["kinds"]) == (409, ["driving_licence"])
    assert rider.status_code == 403


def test_a_paper_holds_through_its_last_day() -> None:
    papers = [Paper(kind, "A-1", TODAY) for kind in DocumentKind]

    assert missing_papers(papers, TODAY) == []
    assert missing_papers(papers, TODAY + timedelta(days=1)) == list(DocumentKind)
    assert missing_papers(papers[1:], TODAY) == [DocumentKind.DRIVING_LICENCE]
