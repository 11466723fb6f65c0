"""`/account`: what is kept about somebody, and the way out. For a person at the page alone: http_api/guard.py."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from watchferry.http_api import Answer, Api, Call, Done, Ok
from watchferry.http_api.cookies import session_cookies

if TYPE_CHECKING:
    from watchferry.account.answers import Download
    from watchferry.account.leave import Deployment


def add_account_routes(api: Api, deployment: "Callable[[], Deployment]") -> None:
    @api.get("/account/export")
    def export(call: Call) -> "Ok[Download]":
        from watchferry.account.export import as_download, export

        own = deployment()
        return as_download(export(own, call.account, own.clock()), takes_gzip=call.takes_gzip)

    @api.delete("/account")
    def leave(call: Call) -> Done:
        from watchferry.account.leave import leave

        leave(deployment(), call.user_id)
        return Answer(204, cookies=session_cookies("", 0))
