"""`GET /api/openapi.json` and `.html`; what makes them is imported when somebody asks."""

from typing import Annotated, Any

from watchferry.http_api import Answer, Api, Call, Ok

type Page = Annotated[str, "text/html"]
type Document = Annotated[str, dict[str, Any]]


def add_openapi_routes(api: Api) -> None:
    @api.get("/openapi.json", open=True)
    def openapi(_: Call) -> Ok[Document]:
        """This description."""
        from watchferry.openapi.document import document

        return Answer(200, document())

    @api.get("/openapi.html", open=True)
    def readable(_: Call) -> Ok[Page]:
        """This description, for people."""
        from watchferry.openapi.document import page

        return Answer(200, page(), content_type="text/html; charset=utf-8")
