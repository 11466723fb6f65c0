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
    "app_refused": "An upstream refuses this deployment's application",
    "test": "Your webhook works",
}

LOOK_AT = {
    "Trakt": "see at https://trakt.tv/oauth/applications whether the application still exists and its owner's VIP "
    "membership is active; compare TRAKT_CLIENT_ID and TRAKT_CLIENT_SECRET with what stands there, then deploy again.",
    "Kinopub": "compare KINOPUB_CLIENT_ID and KINOPUB_CLIENT_SECRET with what Kinopub's support gave you, then deploy "
    "again; if they are right, ask Kinopub's support.",
}
"""What the owner can do, by upstream."""

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
    if notice.kind == "app_refused":
        return f"Watchferry: {notice.slug} refuses this application", _app_refused(notice)
    about = notice.kind.replace("_", " ")
    run = f"\nRun: {notice.run_id}" if notice.run_id else ""
    return (
        f"Watchferry: {about}",
        f"User: {notice.slug}\nNotice: {about}\nCode: {notice.code}{run}\nAt: {iso(notice.at)}\n",
    )


def _app_refused(notice: Notice) -> str:
    return (
        f"{notice.detail}.\n\n"
        "This concerns all users of this deployment. Automatic sync rests for all of them; no view is lost, no account "
        f"is paused, and nobody has to connect again. Watchferry asks {notice.slug} about once an hour and goes on by "
        "itself as soon as the application is let in again.\n\n"
        f"What may help: {LOOK_AT.get(notice.slug, 'look at the id and the secret of the application.')}\n\n"
        f"Code: {notice.code}\nAt: {iso(notice.at)}\n"
    )


def _for_slack(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
