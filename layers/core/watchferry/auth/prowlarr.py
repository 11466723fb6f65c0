"""A user's own Prowlarr: where it is and its key (http-api.md, `PUT /auth/prowlarr`). The proxy calls it."""

from dataclasses import dataclass

from watchferry.clients.guarded import GuardedDoor
from watchferry.storage.prowlarr import PURPOSE, Prowlarrs
from watchferry.vault import Vault


@dataclass(slots=True)
class ProwlarrSetting:
    prowlarrs: Prowlarrs
    vault: Vault
    door: GuardedDoor

    def save(self, user_id: str, base_url: str, api_key: str) -> None:
        """Raises BlockedAddress, UnresolvableAddress, RetryLater. Nobody is called: Prowlarr may be off just now."""
        address = self.door.check(base_url)
        sealed = self.vault.seal(api_key.encode(), owner=user_id, purpose=PURPOSE)
        self.prowlarrs.put(user_id, base_url=address.text.rstrip("/"), sealed=sealed.value, sealed_key=sealed.key)
