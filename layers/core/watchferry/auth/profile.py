"""Who signed in, from Trakt's `GET /users/settings`."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from watchferry.errors import RetryLater


@dataclass(frozen=True, slots=True)
class Profile:
    uuid: str
    """The account's key: slugs can be renamed and reused (http-api.md, Who is calling)."""
    slug: str
    shown: Mapping[str, Any]
    """`slug`, `name`, `avatar`, `vip`, `limits`, as storage/accounts.py keeps them."""

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "Profile":
        """Raises RetryLater when Trakt does not say who this is. Everything but the uuid may be missing."""
        user = _record(settings.get("user"))
        ids = _record(user.get("ids"))
        uuid = ids.get("uuid")
        if not isinstance(uuid, str) or not re.fullmatch(r"[A-Za-z0-9_-]{8,64}", uuid):
            raise RetryLater("upstream_unreachable", "Trakt did not say whose account this is")
        slug = _text(ids.get("slug")) or _text(user.get("username")) or uuid
        avatar = _text(_record(_record(user.get("images")).get("avatar")).get("full"))
        shown = {
            "slug": slug,
            "name": _text(user.get("name")) or slug,
            "avatar": avatar if (avatar or "").startswith("https://") else None,
            "vip": bool(user.get("vip") or user.get("vip_ep")),
            "limits": _whole_numbers(_record(settings.get("limits"))),
        }
        return cls(uuid, slug, shown)


def _record(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _whole_numbers(limits: Mapping[str, Any]) -> dict[str, Any]:
    """DynamoDB takes no floats, and a limit is a count."""
    whole: dict[str, Any] = json.loads(json.dumps(limits), parse_float=lambda text: int(float(text)))
    return whole
