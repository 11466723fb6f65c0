"""Token pairs at rest: sealed for their user and provider before they reach the table (architecture.md, rule 7)."""

import json
from dataclasses import dataclass

from watchferry.auth.grants import TokenPair
from watchferry.storage.account import Provider
from watchferry.storage.tokens import StoredTokens, Tokens
from watchferry.vault import Sealed, Vault


@dataclass(slots=True)
class Pairs:
    tokens: Tokens
    vault: Vault

    def seal(self, user_id: str, provider: Provider, pair: TokenPair) -> Sealed:
        content = {"access": pair.access, "refresh": pair.refresh, "redirect_uri": pair.redirect_uri}
        return self.vault.seal(json.dumps(content).encode(), owner=user_id, purpose=_purpose(provider))

    def open(self, row: StoredTokens) -> TokenPair:
        sealed = Sealed(row.sealed, row.sealed_key)
        content = json.loads(self.vault.open(sealed, owner=row.user_id, purpose=_purpose(row.provider)))
        return TokenPair(content["access"], content["refresh"], row.expires_at, content["redirect_uri"])

    def connect(self, user_id: str, provider: Provider, pair: TokenPair) -> None:
        """A pair from a sign-in."""
        sealed = self.seal(user_id, provider, pair)
        self.tokens.connect(user_id, provider, sealed=sealed.value, sealed_key=sealed.key, expires_at=pair.expires_at)


def _purpose(provider: str) -> str:
    return f"{provider} tokens"
