"""A deployed stack: its address and its parts, as `.local/stack.json` says them, and the ways to reach them."""

import json
from collections.abc import Generator
from dataclasses import asdict, dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any

import boto3
import httpx


@dataclass(frozen=True, slots=True)
class Stack:
    site_url: str
    api_url: str
    aws_endpoint_url: str | None
    region: str
    functions: dict[str, str]
    """Logical id → name."""
    tables: dict[str, str]
    """Logical id → name."""
    queues: dict[str, str]
    """Logical id → URL."""
    credentials: dict[str, str] = field(default_factory=dict)
    """The local cloud's own, as boto3's keyword arguments. Empty in AWS: there the owner's are found by boto3."""
    pid: int | None = None
    """The local cloud's process."""

    def write(self, file: Path) -> None:
        file.write_text(json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def read(cls, file: Path) -> "Stack":
        return cls(**json.loads(file.read_text()))

    def aws(self, service: str) -> Any:
        """A boto3 client of the cloud that the stack is in, with the owner's rights."""
        return boto3.client(
            service,  # type: ignore[call-overload]
            region_name=self.region,
            endpoint_url=self.aws_endpoint_url,
            **self.credentials,
        )

    def browser(self, **options: Any) -> httpx.Client:
        """A client of the API that acts as a browser on the site: it keeps cookies and says where it comes from."""
        return httpx.Client(
            base_url=self.api_url + "/",
            # Reading all certificates takes longer than most requests.
            transport=LocalTransport(verify=self.site_url.startswith("https:")),
            auth=BrowserCookies(),
            headers={"origin": self.site_url, "sec-fetch-site": "same-origin", "x-csrf": "1"},
            timeout=35,
            **options,
        )


class BrowserCookies(httpx.Auth):
    """Keeps cookies as browsers do on `localhost`, where http is as good as https; httpx has no such policy."""

    def __init__(self) -> None:
        self.cookies = httpx.Cookies(CookieJar(DefaultCookiePolicy(secure_protocols=("https", "http"))))

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        self.cookies.set_cookie_header(request)
        response = yield request
        self.cookies.extract_cookies(response)


class LocalTransport(httpx.HTTPTransport):
    """Connects to this machine for every name under `localhost`, as browsers do; the Host header keeps the name.

    Browsers take such an address for trustworthy and send it cookies marked Secure, over http too: see `Stack.browser`.
    """

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if not request.url.host.endswith(".localhost"):
            return super().handle_request(request)
        # The request itself keeps its address: cookies are kept for the name that was asked.
        there = httpx.Request(
            request.method,
            request.url.copy_with(host="127.0.0.1"),
            headers=request.headers,
            stream=request.stream,
            extensions=request.extensions,
        )
        return super().handle_request(there)
