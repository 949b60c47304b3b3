"""The API does what its OpenAPI document says, whatever it is sent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS

from newsletter.audience import api_keys
from newsletter.audience.api_keys import Scope
from newsletter.delivery.model import Status as DeliveryStatus
from newsletter.store.engine import open_url
from newsletter.web.app import make_app
from newsletter.web.routes import subscribe
from tests.web.webhooks import send_campaign
from tests.web.worlds import NOW, World, served

OPERATIONS = ("POST /api/v1/subscriptions", "GET /api/v1/campaigns/{number}")
# Whether an address or a number of an issue exists is more than a schema can say.
NOT_ASKED = ("positive_data_acceptance",)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("api")
    keys = {"per_ip_per_hour": 1_000_000}
    with (
        pytest.MonkeyPatch.context() as patch,
        open_url(f"sqlite:///{folder / 'newsletter.db'}") as store,
        served(store, folder / "newsletter", subscribe=keys) as made,
    ):
        patch.setattr(subscribe, "QUANTUM", 0.001)
        send_campaign(made, [made.reader()], DeliveryStatus.ACCEPTED)
        yield made


@pytest.fixture(scope="module")
def key(world: World) -> str:
    with world.store.begin() as conn:
        return api_keys.create(conn, "test", list(Scope), now=NOW, actor="operator")


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_answer_is_one_that_the_schema_announces(
    world: World, key: str, operation: str, mode: GenerationMode
):
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", make_app(world.context))
    found = {each.ok().label: each.ok() for each in schema.get_all_operations()}
    assert set(found) == set(OPERATIONS)
    excluded = [check for check in CHECKS.get_all() if check.__name__ in NOT_ASKED]
    seen: set[int] = set()

    @given(case=found[operation].as_strategy(generation_mode=mode))
    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    def check(case: schemathesis.Case) -> None:
        answer = case.call_and_validate(
            headers={"Authorization": f"Bearer {key}"}, excluded_checks=excluded
        )
        seen.add(answer.status_code)

    check()
    assert max(seen) < 500


def test_the_document_names_keys_limits_and_every_error(world: World):
    document = world.client.get("/api/v1/openapi.json").json()
    assert document["components"]["securitySchemes"]
    post = document["paths"]["/api/v1/subscriptions"]["post"]
    assert set(post["responses"]) == {"202", "400", "401", "403", "413", "422", "429", "503"}
    assert "Retry-After" in post["responses"]["429"]["headers"]
    get = document["paths"]["/api/v1/campaigns/{number}"]["get"]
    assert set(get["responses"]) == {"200", "401", "403", "404", "422", "503"}
    for operation in (post, get):
        assert operation["security"]
