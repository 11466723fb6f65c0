"""`/api/sync/*` — and every path under /api that nobody knows, which is a 404 like any other."""

import functools

from watchferry.http_api import build_app
from watchferry.sync.routes import mount
from watchferry.wiring import Wiring

wiring = functools.cache(Wiring)
handler = build_app(wiring)
mount(handler, wiring)
