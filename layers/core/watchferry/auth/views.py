"""What the page is told of a user and the connected accounts (http-api.md, `GET /auth/session`)."""

from watchferry.auth import answers
from watchferry.models import iso
from watchferry.storage.account import Account
from watchferry.storage.api_tokens import ApiToken
from watchferry.storage.prowlarr import StoredProwlarr
from watchferry.storage.tokens import StoredTokens


def user_view(account: Account) -> answers.User:
    return {"slug": account.slug, "name": account.name, "avatar": account.avatar}


def api_token_view(token: ApiToken) -> answers.ApiToken:
    """A row of `GET /auth/api-tokens`."""
    used_at = token.last_used_at
    return {
        "id": token.token_id,
        "name": token.name,
        "created_at": iso(token.created_at),
        "last_used_at": iso(used_at) if used_at else None,
    }


def session_view(
    account: Account, trakt: StoredTokens | None, kinopub: StoredTokens | None, prowlarr: StoredProwlarr | None
) -> answers.Session:
    return {
        "user": user_view(account),
        "trakt": {**connection_view(account, trakt), "vip": account.vip, "limits": account.limits},
        "kinopub": connection_view(account, kinopub),
        "prowlarr": {"configured": prowlarr is not None, "base_url": prowlarr.base_url if prowlarr else None},
    }


def connection_view(account: Account, tokens: StoredTokens | None) -> answers.Connection:
    if tokens is None:
        return {"connected": False, "status": "ok", "expires_at": None}
    status = tokens.status
    if status == "ok" and tokens.provider == "trakt" and account.paused_reason == "account_locked":
        status = "account_locked"  # noticed by whoever worked with the account, and paused it
    if tokens.provider in account.to_connect:
        status = "reauth_required"  # it grants tokens and refuses them: what is stored looks as good as new
    return {"connected": True, "status": status, "expires_at": iso(tokens.expires_at) if tokens.expires_at else None}
