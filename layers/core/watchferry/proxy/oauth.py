"""OAuth calls that came to the proxy's function, which has no right to answer them.

API Gateway brings `/api/trakt/oauth/*` to auth_api. But many clients write `//oauth/device/code` behind their base URL
(reality.md, What real client libraries do), and a path with an empty segment is no route of its own. That request is
handed over as it came, but for its slashes; auth_api trusts nothing in it, just as if it had come from outside.
"""

import json
from dataclasses import dataclass
from typing import Any

from watchferry.errors import RetryLater
from watchferry.http_api import Answer, Call


@dataclass(slots=True)
class AuthApi:
    client: Any
    """Lambda's; it asks once, since a refresh token is good once."""
    function: str

    def answer(self, call: Call, path: str) -> Answer:
        """`path` is the request's own without double slashes. Raises RetryLater when auth_api does not answer."""
        from botocore.exceptions import BotoCoreError, ClientError

        _ = call.body  # refused here when it is too long: an event of Lambda's has its limit
        context = call.event["requestContext"]
        event = {
            **call.event,
            "rawPath": path,
            "requestContext": {**context, "http": {**context["http"], "path": path}},
        }
        try:
            said = self.client.invoke(FunctionName=self.function, Payload=json.dumps(event).encode())
        except (BotoCoreError, ClientError) as error:
            raise RetryLater("upstream_unreachable", "the function that signs in does not answer") from error
        told = json.loads(said["Payload"].read())
        if "FunctionError" in said:
            raise RuntimeError("auth_api did not answer")  # what it says instead is for its log
        headers = {name.lower(): value for name, value in told["headers"].items()}
        content_type = headers.pop("content-type", "")
        return Answer(told["statusCode"], told["body"] or None, headers, content_type=content_type)
