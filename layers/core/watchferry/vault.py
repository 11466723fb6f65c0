"""Secrets at rest: AES-256-GCM under data keys that only KMS can open (architecture.md, rule 7).

A sealed value is bound to its owner and purpose: moved to another row it does not open.
"""

import hashlib
import hmac
import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

KEY_LIFETIME = 3600
"""Seconds for which a decrypted data key may stay in memory."""

_NONCE = 12


@dataclass(frozen=True, slots=True)
class Sealed:
    value: bytes
    """Nonce and ciphertext."""
    key: bytes
    """The data key, encrypted by KMS."""


@dataclass(slots=True)
class Vault:
    kms: "KMSClient"
    key_arn: str
    _current: tuple[float, bytes, bytes] | None = field(default=None, repr=False)
    """When it was made, the data key, and the same encrypted."""
    _opened: dict[bytes, tuple[float, bytes]] = field(default_factory=dict, repr=False)

    def seal(self, plaintext: bytes, *, owner: str, purpose: str) -> Sealed:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        key, encrypted = self._key_for_sealing()
        nonce = os.urandom(_NONCE)
        return Sealed(nonce + AESGCM(key).encrypt(nonce, plaintext, _bound_to(owner, purpose)), encrypted)

    def open(self, sealed: Sealed, *, owner: str, purpose: str) -> bytes:
        """Raises cryptography's InvalidTag when the value is not this owner's, or was changed."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce, ciphertext = sealed.value[:_NONCE], sealed.value[_NONCE:]
        return AESGCM(self._key_for_opening(sealed.key)).decrypt(nonce, ciphertext, _bound_to(owner, purpose))

    def derive(self, sealed: Sealed, *, owner: str, purpose: str) -> bytes:
        """32 bytes for `purpose`, the same for whoever may open this very value and asks again.

        A data key is as good as random, so one HMAC of it is a key of its own (RFC 5869, 3.3) and tells nothing of it.
        """
        bound = b"derived|" + _bound_to(owner, purpose) + hashlib.sha256(sealed.value).digest()
        return hmac.digest(self._key_for_opening(sealed.key), bound, "sha256")

    def _key_for_sealing(self) -> tuple[bytes, bytes]:
        now = time.monotonic()
        if self._current is None or now - self._current[0] > KEY_LIFETIME:
            made = self.kms.generate_data_key(KeyId=self.key_arn, KeySpec="AES_256")
            self._current = (now, made["Plaintext"], made["CiphertextBlob"])
        _, key, encrypted = self._current
        return key, encrypted

    def _key_for_opening(self, encrypted: bytes) -> bytes:
        now = time.monotonic()
        self._opened = {blob: (at, key) for blob, (at, key) in self._opened.items() if now - at <= KEY_LIFETIME}
        if encrypted not in self._opened:
            opened = self.kms.decrypt(KeyId=self.key_arn, CiphertextBlob=encrypted)
            self._opened[encrypted] = (now, opened["Plaintext"])
        return self._opened[encrypted][1]


def _bound_to(owner: str, purpose: str) -> bytes:
    return f"{owner}|{purpose}".encode()
