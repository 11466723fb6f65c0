"""What the page is told of a user and the connected accounts (http-api.md, `GET /auth/session`)."""

from typing import Any

from watchferry.models import iso
from watchferry.storage.accounts import Account
from watchferry.storage.prowlarr import StoredProwlarr
from watchferry.storage.tokens import StoredTokens


def user_view(account: Account) -> dict[str, Any]:
    return {"slug": account.slug, "name": account.name, "avatar": account.avatar}


def session_view(
    account: Account, trakt: StoredTokens | None, kinopub: StoredTokens | None, prowlarr: StoredProwlarr | None
) -> dict[str, Any]:
    return {
        "user": user_view(account),
        "trakt": _connection(account, trakt) | {"vip": account.vip, "limits": account.limits},
        "kinopub": _connection(account, kinopub),
        "prowlarr": {"configured": prowlarr is not None, "base_url": prowlarr.base_url if prowlarr else None},
    }


def _connection(account: Account, tokens: StoredTokens | None) -> dict[str, Any]:
    if tokens is None:
        return {"connected": False, "status": "ok", "expires_at": None}
    status = tokens.status
    if status == "ok" and tokens.provider == "trakt" and account.paused_reason == "account_locked":
        status = "account_locked"  # noticed by whoever worked with the account, and paused it
    return {"connected": True, "status": status, "expires_at": iso(tokens.expires_at) if tokens.expires_at else None}
