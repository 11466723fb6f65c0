"""What both API functions share (http-api.md): routing, who is calling, CSRF, bodies, problem+json, one log line.

    wiring = functools.cache(Wiring)             # made with the first request
    api = build_app(wiring)                      # wiring() -> sessions, api_tokens, accounts, site_url

    @api.post("/sync/runs")                      # mounted as /api/sync/runs; needs a caller unless open=True
    def start_run(call: Call) -> Accepted[RunStarted]:
        wanted = call.json(StartRun)             # a pydantic model made from `Body`; 400 `validation` otherwise
        run_id = begin(call.user_id, wanted)     # call.account: the caller's row, read once
        return Answer(202, {"run_id": run_id})

    @api.get("/sync/runs/<run_id>")              # ids are [A-Za-z0-9_-], all else is 404 before the handler runs
    def show_run(call: Call, run_id: str) -> Ok[Run]:
        return Answer(200, run_of(call.user_id, run_id))

    handler = api                                # the Lambda's handler

A handler raises `errors.Problem(status, code, detail, **extra)` or lets the errors of storage and clients pass:
problems.py is the one table that turns errors into answers. Nothing escapes from `api`.
"""

from watchferry.http_api.app import Api, build_app
from watchferry.http_api.call import Accepted, Answer, Call, Created, Deployment, Done, Ok
from watchferry.http_api.cookies import browser_cookie

__all__ = [
    "Accepted",
    "Answer",
    "Api",
    "Call",
    "Created",
    "Deployment",
    "Done",
    "Ok",
    "browser_cookie",
    "build_app",
]
