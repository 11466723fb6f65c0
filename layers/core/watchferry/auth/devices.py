"""Device flows (sync document 3, variant A; KinoAPI document 1.1-1.3). Callers have a handle of ours, not the code."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from watchferry.auth.answers import DeviceCode
from watchferry.auth.grants import OAuthHost, TokenPair
from watchferry.errors import Problem
from watchferry.storage.account import Provider
from watchferry.storage.flows import DeviceKind, Ending, Flow, Flows, hash_of, new_handle, owner_of
from watchferry.vault import Sealed, Vault

_PURPOSE = "device code"

_ENDINGS: Mapping[Ending, tuple[int, str, str]] = {
    "invalid": (404, "invalid", "there is no such device code"),
    "used": (409, "already_used", "this device code has been used"),
    "expired": (410, "expired", "the code has expired; ask for a new one"),
    "denied": (418, "denied", "access was denied"),
}
"""Status, code and detail of http-api.md, Auth broker."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing yet: `status` is `pending` or `slow_down`, ask again in `interval` seconds."""

    status: Literal["pending", "slow_down"]
    interval: int
    hurried: bool = False
    """The caller asks faster than `interval`."""


@dataclass(slots=True)
class Devices:
    hosts: Mapping[str, OAuthHost]
    flows: Flows
    vault: Vault
    clock: Callable[[], float]

    def begin(self, provider: Provider, user_id: str | None = None, *, kind: DeviceKind = "device") -> DeviceCode:
        """The answer of `POST /auth/{provider}/device/code`.

        The handle is good for polls of the same `kind` alone, and with `user_id` for that user alone.
        """
        begun = self.hosts[provider].device_code()
        handle = new_handle()
        sealed = self.vault.seal(begun.code.encode(), owner=hash_of(handle), purpose=_PURPOSE)
        self.flows.begin_device(
            handle,
            provider,
            kind=kind,
            user_id=user_id,
            sealed=sealed.value,
            sealed_key=sealed.key,
            interval=begun.interval,
            expires_in=begun.expires_in,
        )
        return {
            "device_code": handle,
            "user_code": begun.user_code,
            "verification_url": begun.verification_url,
            "verification_url_complete": begun.verification_url_complete,
            "interval": begun.interval,
            "expires_in": begun.expires_in,
        }

    def poll(
        self, provider: Provider, handle: str, user_id: str | None = None, *, kind: DeviceKind = "device"
    ) -> TokenPair | Waiting:
        """Asks the upstream if an interval has passed. Raises Problem for every ending but the good one.

        The good one is told once: the code is used up then, whatever becomes of the sign-in.
        """
        flow = self.flows.find(handle)
        if flow is None or (flow.kind, flow.provider, flow.owner) != (kind, provider, owner_of(handle, user_id)):
            raise _ended("invalid")
        if flow.status != "new":
            raise _ended(flow.status)
        if self.clock() >= flow.expires_at:
            raise _ended("expired")
        if not self.flows.may_poll(flow):
            return Waiting("pending", flow.interval, hurried=self.flows.is_hurried(flow))
        said = self.hosts[provider].poll(self._code(flow))
        if said == "pending":
            return Waiting("pending", flow.interval)
        if said == "slow_down":
            return Waiting("slow_down", self.flows.slow_down(flow))
        ending = "used" if isinstance(said, TokenPair) else said
        self.flows.end(flow, ending)
        if isinstance(said, TokenPair):
            return said
        raise _ended(ending)

    def _code(self, flow: Flow) -> str:
        sealed = Sealed(flow.sealed, flow.sealed_key)
        return self.vault.open(sealed, owner=flow.flow_hash, purpose=_PURPOSE).decode()


def _ended(ending: Ending) -> Problem:
    return Problem(*_ENDINGS[ending])
