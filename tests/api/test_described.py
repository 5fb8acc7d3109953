"""The API holds to its own description: schemathesis asks what the OpenAPI allows, and what it does not."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.serving import serving
from tests.api.v1.conftest import imported
from tests.api.v1.items import models

CHECKS = [
    not_a_server_error,
    response_schema_conformance,
    content_type_conformance,
    status_code_conformance,
]


@pytest.fixture(scope="module")
def own_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server over a library of its own: some routes write."""
    with serving(imported(tmp_path_factory.mktemp("described"), models(12))) as address:
        yield address


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
def test_answers_are_as_described(own_address: str, mode: schemathesis.GenerationMode) -> None:
    """To what the description allows, and to what it does not."""
    description = schemathesis.openapi.from_url(f"{own_address}/api/openapi.json")
    asked = 0
    for found in description.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()

        @settings(max_examples=5, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
        @given(operation.as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            case.call_and_validate(checks=CHECKS, timeout=60)

        try:
            ask()
        except Unsatisfiable:
            continue  # nothing can be asked wrongly where nothing is asked
        asked += 1
    assert asked > 20


def test_every_route_is_described(own_address: str) -> None:
    told = httpx.get(f"{own_address}/api/openapi.json", timeout=60, trust_env=False).json()
    for path, operations in told["paths"].items():
        for method, operation in operations.items():
            assert operation["responses"]["default"]["content"], (method, path)
            assert operation.get("description") or operation.get("summary"), (method, path)
            for parameter in operation.get("parameters", ()):
                assert parameter["schema"], (path, parameter["name"])
    assert {"/api/search", "/api/v1/models", "/api/v1/model-versions/by-hash/{hash}"} <= told["paths"].keys()
    assert "HTTPValidationError" not in str(told["paths"])
