"""What befalls the deployed functions from within: written here, done by inside/sitecustomize.py in their processes.

With `hurried` a crash is over in seconds: the template's time-outs are those of AWS, where nobody waits for them.
"""

import itertools
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tests.stack.deployed import Deployed
    from tests.stack.person import Person

INSIDE = Path(__file__).with_name("inside")

LIVES = {"SyncPlanner": 60, "HistorySender": 38}
"""Seconds. Of the planner's the last 30 are for its checkpoint, of the sender's 30 for its POST."""
HIDDEN = {"SyncJobs": 32, "HistoryBatches": 12}
"""Seconds after which a message comes again: the planner's when its run may be taken over, the sender's long before."""
DELIVERIES = 100
"""Before a message is given up: on a busy machine a time that is over in seconds is over often."""
AT_ONCE = {"SyncJobs": 4, "HistoryBatches": 10}
"""Functions that work on a queue: many of them only wait for a fault to be over."""


@dataclass(frozen=True)
class Strike:
    """The `times` calls after the first `skip` of those that fit; inside/sitecustomize.py says what of them is what."""

    function: Literal["SyncPlanner", "HistorySender"]
    site: str
    """A regular expression."""
    when: Literal["before", "after"] = "before"
    call: str = ""
    """A regular expression."""
    do: Literal["exit", "throttle"] = "exit"
    skip: int = 0
    times: int = 1


@dataclass
class Strikes:
    folder: Path
    _strikes: list[dict[str, object]] = field(default_factory=list)
    _recorded: list[str] = field(default_factory=list)
    _skew: dict[str, float] = field(default_factory=dict)
    _ids: Iterator[int] = field(default_factory=itertools.count)

    def environment(self) -> dict[str, str]:
        """Of the local cloud."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return {"PYTHONPATH": str(INSIDE), "WATCHFERRY_STRIKES": str(self.folder / "plan")}

    def add(self, person: "Person", strike: Strike) -> str:
        """Its name, for `struck`."""
        name = f"strike{next(self._ids)}"
        self._strikes.append({"id": name, "user": person.user_id, **asdict(strike)})
        self._write()
        return name

    def struck(self, name: str) -> int:
        strike = next(strike for strike in self._strikes if strike["id"] == name)
        return max(0, len(list(self.folder.glob(f"{name}.*"))) - int(str(strike["skip"])))

    def record(self, person: "Person") -> None:
        self._recorded.append(person.user_id)
        self._write()

    def recorded(self, person: "Person") -> list[tuple[str, str, str]]:
        """(function, call, site) of every call in this person's name that left a function."""
        lines = (self.folder / "calls").read_text().splitlines()
        return [(function, call, site) for who, function, call, site in map(json.loads, lines) if who == person.user_id]

    @contextmanager
    def clocks(self, ahead: Mapping[str, float]) -> Iterator[None]:
        """Function → seconds by which its clock is wrong."""
        self._skew = dict(ahead)
        self._write()
        try:
            yield
        finally:
            self._skew = {}
            self._write()

    def _write(self) -> None:
        """In one step: processes read it at any time."""
        new = self.folder / "plan.new"
        new.write_text(json.dumps({"strikes": self._strikes, "recorded": self._recorded, "skew": self._skew}))
        new.replace(self.folder / "plan")


@contextmanager
def hurried(deployed: "Deployed") -> Iterator[None]:
    """Time-outs in seconds, more functions at once; as the template says again afterwards."""
    with ExitStack() as back:
        for function, seconds in LIVES.items():
            back.callback(live, deployed, function, live(deployed, function, seconds))
        for queue, seconds in HIDDEN.items():
            back.callback(hide, deployed, queue, hide(deployed, queue, seconds))
        for queue in HIDDEN:
            back.callback(bury_after, deployed, queue, bury_after(deployed, queue, DELIVERIES))
        for queue, number in AT_ONCE.items():
            back.callback(work_at_once, deployed, queue, work_at_once(deployed, queue, number))
        yield


def live(deployed: "Deployed", function: str, seconds: int) -> int:
    """How long a function may work on one delivery. Returns what it was."""
    name, cloud = deployed.stack.functions[function], deployed.cloud("lambda")
    before = int(cloud.get_function_configuration(FunctionName=name)["Timeout"])
    cloud.update_function_configuration(FunctionName=name, Timeout=seconds)
    return before


def hide(deployed: "Deployed", queue: str, seconds: int) -> int:
    """How long a message that was delivered does not come again. Returns what it was."""
    url, cloud = deployed.stack.queues[queue], deployed.cloud("sqs")
    name = "VisibilityTimeout"
    before = int(cloud.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name])
    cloud.set_queue_attributes(QueueUrl=url, Attributes={name: str(seconds)})
    return before


def bury_after(deployed: "Deployed", queue: str, deliveries: int) -> int:
    """After how many deliveries a message is given up. Returns what it was."""
    url, cloud = deployed.stack.queues[queue], deployed.cloud("sqs")
    name = "RedrivePolicy"
    policy = json.loads(cloud.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name])
    cloud.set_queue_attributes(
        QueueUrl=url, Attributes={name: json.dumps(policy | {"maxReceiveCount": str(deliveries)})}
    )
    return int(policy["maxReceiveCount"])


def work_at_once(deployed: "Deployed", queue: str, number: int) -> int:
    """How many functions work on a queue. Returns what it was."""
    mapping = _mapping(deployed, queue)
    before = int(mapping["ScalingConfig"]["MaximumConcurrency"])
    scaling = {"MaximumConcurrency": number}
    deployed.cloud("lambda").update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig=scaling)
    return before


@contextmanager
def one_by_one(deployed: "Deployed", queue: str) -> Iterator[None]:
    """A message to a process, so that whoever makes it die is alone in there."""
    mapping, cloud = _mapping(deployed, queue), deployed.cloud("lambda")
    cloud.update_event_source_mapping(UUID=mapping["UUID"], BatchSize=1)
    try:
        yield
    finally:
        cloud.update_event_source_mapping(UUID=mapping["UUID"], BatchSize=mapping["BatchSize"])


def _mapping(deployed: "Deployed", queue: str) -> dict[str, object]:
    cloud = deployed.cloud("lambda")
    arns = {mapping["EventSourceArn"]: mapping for mapping in cloud.list_event_source_mappings()["EventSourceMappings"]}
    name = deployed.stack.queues[queue].rpartition("/")[2]
    return next(mapping for arn, mapping in arns.items() if arn.rpartition(":")[2] == name)
