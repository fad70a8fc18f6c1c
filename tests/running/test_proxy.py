"""The proxy that tests put in front of a Prefect server: it changes nothing by itself, and does what rules say."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowFilter, FlowFilterName

from support.prefect_server import PrefectServer
from support.proxy import ALWAYS, HTML, NOT_FOUND, RESET, UNAUTHORISED, UNAVAILABLE, Answer, Proxy, recording_proxy
from support.waiting import LEEWAY, PATIENCE, eventually

pytestmark = pytest.mark.prefect


@pytest.fixture
def proxy(prefect_server: PrefectServer) -> Iterator[Proxy]:
    with recording_proxy(prefect_server.api_url) as proxy:
        yield proxy


@pytest.fixture
def client(proxy: Proxy) -> Iterator[httpx.Client]:
    """A client that does not try again."""
    with httpx.Client(base_url=proxy.api_url, trust_env=False, timeout=PATIENCE) as client:
        yield client


def names(server: PrefectServer, name: str) -> list[str]:
    with server.client() as client:
        return [flow.name for flow in client.read_flows(flow_filter=FlowFilter(name=FlowFilterName(any_=[name])))]


def test_without_rules_prefect_notices_nothing(proxy: Proxy) -> None:
    with SyncPrefectClient(proxy.api_url) as client:
        made = client.create_flow_from_name("through the proxy")
        assert client.read_flow_by_name("through the proxy").id == made
        assert client.read_flows(limit=1)
    assert [(request.method, request.path) for request in proxy.writes] == [("POST", "/flows/")]
    assert proxy.writes[0].json()["name"] == "through the proxy"
    assert ("POST", "/flows/filter") in [(request.method, request.path) for request in proxy.requests]
    # The server has no token to give when it asks for none.
    rest = [request for request in proxy.requests if request.path != "/csrf-token"]
    assert all(request.forwarded and request.status < 300 for request in rest)
    assert all(request.started < request.ended for request in proxy.requests)


def test_prefect_tries_again_what_was_unavailable_once(prefect_server: PrefectServer, proxy: Proxy) -> None:
    at_once = Answer(503, headers=(("retry-after", "0.01"),))
    proxy.rule("POST", "/flows/", answer=at_once)
    with SyncPrefectClient(proxy.api_url) as client:
        client.create_flow_from_name("tried again")
    assert [(request.status, request.forwarded) for request in proxy.writes] == [(503, False), (201, True)]
    assert names(prefect_server, "tried again") == ["tried again"]


@pytest.mark.parametrize("answer", [UNAVAILABLE, UNAUTHORISED, NOT_FOUND, HTML], ids=lambda it: it.status)
def test_answers_instead_of_the_server(proxy: Proxy, client: httpx.Client, answer: Answer) -> None:
    proxy.rule("GET", "/health", answer=answer, nth=2, times=ALWAYS)
    assert client.get("/health").json() is True
    given = [client.get("/health") for _ in range(3)]
    assert {(it.status_code, it.content, it.headers["content-type"]) for it in given} == {
        (answer.status, answer.body, answer.headers[0][1])
    }
    assert client.get("/admin/version").status_code == 200


@pytest.mark.parametrize("forward", [False, True], ids=["unseen", "seen"])
def test_an_answer_is_lost(prefect_server: PrefectServer, proxy: Proxy, client: httpx.Client, forward: bool) -> None:
    name = f"lost {forward}"
    proxy.rule("POST", answer=RESET, forward=forward)
    with pytest.raises(httpx.TransportError):
        client.post("/flows/", json={"name": name})
    assert names(prefect_server, name) == [name] * forward
    assert client.post("/flows/", json={"name": name}).status_code == (200 if forward else 201)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_client_is_killed_at_its_second_request(prefect_server: PrefectServer, proxy: Proxy, moment: str) -> None:
    started = threading.Event()

    def kill() -> None:
        assert started.wait(PATIENCE)
        process.kill()
        process.wait()

    proxy.rule("POST", "/flows/", nth=2, **{moment: kill})
    program = f"""import httpx
for number in range(3):
    httpx.post("{proxy.api_url}/flows/", json={{"name": f"{moment} {{number}}"}}, trust_env=False, timeout=60)
"""
    process = subprocess.Popen([sys.executable, "-c", program])
    started.set()
    assert process.wait(PATIENCE) == -9
    made = [f"{moment} {number}" for number in range(3)]
    # In the first case the request is on its way when its sender dies, and arrives.
    eventually(lambda: names(prefect_server, made[1]))
    assert len(proxy.writes) == 2
    assert names(prefect_server, made[2]) == []


def test_counts_what_is_in_flight(proxy: Proxy, client: httpx.Client) -> None:
    all_there = threading.Barrier(4)
    proxy.rule("GET", times=ALWAYS, before=lambda: all_there.wait(PATIENCE))
    with ThreadPoolExecutor(4) as threads:
        assert [it.status_code for it in threads.map(client.get, ["/health"] * 4)] == [200] * 4
    assert proxy.max_in_flight == 4


def test_holds_a_request(proxy: Proxy, client: httpx.Client) -> None:
    proxy.rule("GET", delay=0.3)
    assert client.get("/health").status_code == 200
    assert 0.3 <= proxy.requests[0].ended - proxy.requests[0].started < 1 + LEEWAY


def test_a_stalled_request_does_not_keep_the_proxy(prefect_server: PrefectServer) -> None:
    with recording_proxy(prefect_server.api_url) as proxy:
        proxy.rule(delay=600)
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{proxy.api_url}/health", trust_env=False, timeout=0.2)


def test_refuses_websockets(proxy: Proxy, client: httpx.Client) -> None:
    headers = {"connection": "upgrade", "upgrade": "websocket"}
    assert client.get("/events/in", headers=headers).status_code == 404
    assert proxy.requests == []


def test_a_server_that_is_gone_is_a_reset(client: httpx.Client) -> None:
    with recording_proxy("http://127.0.0.1:9/api") as proxy, pytest.raises(httpx.TransportError):
        httpx.get(f"{proxy.api_url}/health", trust_env=False)
    assert [(request.status, request.forwarded) for request in proxy.requests] == [(0, False)]
