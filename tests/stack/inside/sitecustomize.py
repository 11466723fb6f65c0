"""What the tests' local cloud has on its PYTHONPATH: Python imports it in every process, before anything else.

In a Lambda's process it does what strikes.py has written down: the process dies, a call of AWS is throttled, the clock
is wrong — right before or right after a call that leaves the process. The product code knows nothing of it.

A call is described by
- `function`: logical id, `HistorySender`;
- `user`: the user whose job the thread works on, as its requests to DynamoDB have named them last;
- `call`: `dynamodb.UpdateItem`, `sqs.SendMessageBatch`, `http.POST /sync/history`;
- `site`: the way to it through our code, `Sending.go › Sending.post › Plans.posting`.
"""

import contextvars
import importlib.abc
import importlib.util
import json
import os
import re
import sys
import threading
import time
from pathlib import Path

PLAN = os.environ.get("WATCHFERRY_STRIKES", "")
FUNCTION = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "").rpartition("-")[2]
USER = re.compile(r'"user_id": ?\{"S": ?"([^"]+)"')
THROTTLED = {
    "__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
    "message": "The level of configured provisioned throughput for the table was exceeded.",
}

user = contextvars.ContextVar("user", default="")
real_time = time.time


class Plan:
    """The file, read again whenever it is another one: strikes.py replaces it in one step."""

    def __init__(self, path):
        self.path, self.folder = Path(path), Path(path).parent
        self.stamp, self.told, self.lock = None, {}, threading.Lock()

    def __call__(self):
        try:
            state = self.path.stat()
        except FileNotFoundError:
            return {}
        stamp = (state.st_mtime_ns, state.st_ino)
        if stamp != self.stamp:
            with self.lock:
                self.told, self.stamp = json.loads(self.path.read_text()), stamp
        return self.told


class Answer:
    """The raw body of an answer that was never sent."""

    def __init__(self, body):
        self.body = body

    def stream(self, *_, **__):
        yield self.body


def site():
    """Names of our functions from the outside in, but for the translation into DynamoDB's terms."""
    names, frame = [], sys._getframe(2)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.startswith("watchferry.") and not module.endswith(("._dynamo", ".records")):
            names.append(frame.f_code.co_qualname.replace("<locals>.", ""))
        frame = frame.f_back
    return " › ".join(reversed(names))


def striking(call, when):
    """What is to happen now: the strikes that fit, each used up by exactly one process."""
    told = plan()
    if not told.get("strikes") and not told.get("recorded"):
        return []
    who, way = user.get(), site()
    if when == "before" and who in told.get("recorded", ()):
        with (plan.folder / "calls").open("a") as log:
            log.write(json.dumps([who, FUNCTION, call, way], ensure_ascii=False) + "\n")
    return [
        strike["do"]
        for strike in told.get("strikes", ())
        if strike["when"] == when
        and strike["function"] == FUNCTION
        and strike["user"] == who
        and re.match(strike["call"], call)
        and re.search(strike["site"], way)
        and used_up(strike)
    ]


def used_up(strike):
    """Whether it is this call's turn: each call that fits takes the next number, which is a file that was not there."""
    last = strike["skip"] + strike["times"]
    for number in range(last):
        try:
            (plan.folder / f"{strike['id']}.{number}").touch(exist_ok=False)
        except FileExistsError:
            continue
        return number >= strike["skip"]
    return False


def around(send, call, throttled):
    """A call that leaves the process, and what befalls it."""
    before = striking(call, "before")
    if "exit" in before:
        os._exit(1)
    if "throttle" in before and throttled:
        return throttled()
    answer = send()
    if "exit" in striking(call, "after"):
        os._exit(1)
    return answer


def in_botocore(module):
    """Beneath its retries, so that they are real."""
    send = module.URLLib3Session.send

    def sent(self, request):
        target = request.headers.get("X-Amz-Target", b"")
        target = target.decode() if isinstance(target, bytes) else target
        service, _, operation = target.partition(".")
        body = request.body.decode(errors="replace") if isinstance(request.body, bytes) else str(request.body)
        if named := USER.search(body):
            user.set(named[1])
        service = "dynamodb" if service.startswith("DynamoDB") else service.removeprefix("Amazon").lower()

        def throttled():
            from botocore.awsrequest import AWSResponse

            headers = {"content-type": "application/x-amz-json-1.0", "x-amzn-requestid": "throttled"}
            return AWSResponse(request.url, 400, headers, Answer(json.dumps(THROTTLED).encode()))

        return around(lambda: send(self, request), f"{service}.{operation}", throttled)

    module.URLLib3Session.send = sent


def in_retries(module):
    """As many as ever, but not half a minute of them."""
    module.ExponentialBackoff.delay_amount = lambda self, context: 0.02


def in_httpx(module):
    handle = module.HTTPTransport.handle_request

    def handled(self, request):
        return around(lambda: handle(self, request), f"http.{request.method} {request.url.path}", None)

    module.HTTPTransport.handle_request = handled


def in_threads(module):
    """A thread works for whom it was started."""
    submit = module.ThreadPoolExecutor.submit

    def submitted(self, work, /, *args, **kwargs):
        return submit(self, contextvars.copy_context().run, work, *args, **kwargs)

    module.ThreadPoolExecutor.submit = submitted


CHANGES = {
    "botocore.httpsession": in_botocore,
    "botocore.retries.standard": in_retries,
    "concurrent.futures.thread": in_threads,
    "httpx": in_httpx,
}


class WhenImported(importlib.abc.MetaPathFinder):
    """Changes a module once it is imported: what a cold start does not need stays away from it."""

    def find_spec(self, name, path=None, target=None):
        if name not in CHANGES:
            return None
        change = CHANGES.pop(name)  # so that the search below passes by here
        spec = importlib.util.find_spec(name)
        run = spec.loader.exec_module

        def run_and_change(module):
            run(module)
            change(module)

        spec.loader.exec_module = run_and_change
        return spec


if PLAN and FUNCTION:
    plan = Plan(PLAN)
    time.time = lambda: real_time() + plan().get("skew", {}).get(FUNCTION, 0)
    sys.meta_path.insert(0, WhenImported())
