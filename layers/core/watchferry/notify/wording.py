"""Notices in words. One JSON body for every receiver: each takes the field that it knows and leaves the others.

* Discord's webhooks show `content`, 2000 characters at most; `allowed_mentions` keeps a text from pinging anybody
  (discord.com/developers/docs/resources/webhook, Execute Webhook).
* Slack's show `text`, in which &, < and > are escaped (docs.slack.dev, Incoming webhooks, Formatting message text).
* ntfy makes of a topic's body what the templates in the headers say, with Go's syntax (docs.ntfy.sh/publish, Message
  templating, since 2.10); without them it would show the JSON itself.
* Programs read `kind`, `code`, `user`, `title`, `message`, `run_id`, `at` and `site_url`.
"""

import json

from watchferry.models import iso
from watchferry.notify.notices import Kind, Notice

TITLES: dict[Kind, str] = {
    "reauth_required": "Connect your account again",
    "account_locked": "Trakt has locked your account",
    "account_limit": "Your account's limit at Trakt is reached",
    "run_failed": "A sync has failed",
    "awaiting_confirmation": "A sync waits for your confirmation",
    "test": "Your webhook works",
}

FOR_NTFY = {"X-Template": "yes", "X-Title": "{{.title}}", "X-Message": "{{.message}}"}

LONGEST_DETAIL = 1000
"""Characters; what an upstream said may be any length, and Discord refuses more than 2000 in all."""


def webhook_body(notice: Notice, site_url: str) -> bytes:
    title = f"Watchferry: {TITLES[notice.kind]}"
    detail = notice.detail if len(notice.detail) <= LONGEST_DETAIL else notice.detail[:LONGEST_DETAIL] + "…"
    message = f"{notice.slug}: {detail}"
    told: dict[str, object] = {
        "kind": notice.kind,
        "code": notice.code,
        "user": notice.slug,
        "title": title,
        "message": message,
        "run_id": notice.run_id,
        "at": iso(notice.at),
        "site_url": site_url,
        "content": f"**{title}**\n{message}\n<{site_url}>",
        "allowed_mentions": {"parse": []},
        "text": f"*{_for_slack(title)}*\n{_for_slack(message)}\n{_for_slack(site_url)}",
    }
    return json.dumps(told, ensure_ascii=False).encode()


def operator_mail(notice: Notice) -> tuple[str, str]:
    """Subject (SNS: ASCII, 99 characters at most) and text. Names the user, and says nothing that was said to them."""
    about = notice.kind.replace("_", " ")
    run = f"\nRun: {notice.run_id}" if notice.run_id else ""
    return (
        f"Watchferry: {about}",
        f"User: {notice.slug}\nNotice: {about}\nCode: {notice.code}{run}\nAt: {iso(notice.at)}\n",
    )


def _for_slack(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
