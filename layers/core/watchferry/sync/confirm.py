"""§4.1.2 of the sync document: `/v1/watching` decides what is finished. Pure: no I/O."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from watchferry.clients.kinopub import EARLIEST, Watched, Watching
from watchferry.models import Event, Title, View
from watchferry.storage.ledger import Entry

AHEAD = 86400
"""Seconds: clocks differ; a later time is none."""
SENT_BEFORE = frozenset({"sent", "duplicate"})


@dataclass(frozen=True, slots=True)
class Confirmed:
    finished: tuple[View, ...]
    unfinished: tuple[Event, ...]
    """Units that were begun, or have a row, and are not finished: `not_completed`."""
    unread: bool = False
    """Something of the title cannot be read: nothing says that it is finished, so it is not."""
    empty: bool = False
    """Kinopub has no film, part or episode of it."""


def confirm_completed(title: Title, watching: Watching, now: int) -> Confirmed:
    """Splits what a title shows into finished views and `not_completed` events.

    A film is one unit and finished when all of its videos are (§1.3). Of a season-based title every finished episode
    counts, whether it has a row of its own or not (http-api.md, Fine print).
    """
    if watching.seasons is not None and (title.is_show or not watching.videos):
        return _episodes(title, watching, now)
    return _film(title, watching.videos or [], now)


def never_finished(title: Title) -> Confirmed:
    """A title that Kinopub does not answer for at all: nothing says that it is finished."""
    media = min(title.rows, default=0)
    view = _view(title, "episode" if title.is_show else "movie", media, 0, title.rows.get(media, 0))
    return Confirmed((), (Event(view, "skipped", "not_completed"),), empty=True)


def unreadable(title: Title) -> Confirmed:
    return replace(never_finished(title), unread=True, empty=False)


def as_sent_before(event: Event, ledger: Mapping[str, Sequence[Entry]]) -> Event:
    """What was sent and is being watched again, or was taken back at Kinopub, is at Trakt: a duplicate."""
    sent = [entry for entry in ledger.get(event.view.unit, ()) if entry.outcome in SENT_BEFORE]
    return replace(event, reason="duplicate", ids=max(sent, key=lambda entry: entry.at).ids) if sent else event


def _film(title: Title, parts: Sequence[Watched | None], now: int) -> Confirmed:
    videos = [part for part in parts if part is not None]
    if len(videos) < len(parts):
        return unreadable(title)
    if not videos:
        return never_finished(title)
    first = min(videos, key=lambda video: (video.number or 0, video.id))
    duration = sum(int(video.duration or 0) for video in videos)
    watched_at = _latest(title, videos, now)
    if all(video.status == 1 for video in videos):
        view = _view(title, "movie", first.id, duration, watched_at or now, missing=watched_at is None)
        return Confirmed((view,), ())
    view = _view(title, "movie", first.id, duration, watched_at or 0)
    return Confirmed((), (Event(view, "skipped", "not_completed"),))


def _episodes(title: Title, watching: Watching, now: int) -> Confirmed:
    finished: list[View] = []
    unfinished: list[Event] = []
    unread = False
    for season in watching.seasons or []:
        for episode in season.episodes if season else [None]:
            if season is None or episode is None:
                unread = True
                continue
            watched_at = _latest(title, [episode], now)
            view = _view(
                title,
                "episode",
                episode.id,
                int(episode.duration or 0),
                watched_at or (now if episode.status == 1 else 0),
                name=episode.title or "",
                season=season.number,
                number=episode.number,
                missing=watched_at is None and episode.status == 1,
            )
            if episode.status == 1:
                finished.append(view)
            elif episode.status == 0 or episode.id in title.rows:
                unfinished.append(Event(view, "skipped", "not_completed"))
    if unread:
        unfinished.append(Event(_view(title, "episode", 0, 0, 0), "skipped", "not_completed"))
    elif not any(season and season.episodes for season in watching.seasons or []):
        return never_finished(title)
    return Confirmed(tuple(finished), tuple(unfinished), unread)


def _latest(title: Title, units: Iterable[Watched], now: int) -> int | None:
    """`updated` if it is a time, else the row's `last_seen` if that is one; of several parts the latest."""
    times = [next((at for at in (unit.updated, title.rows.get(unit.id)) if _is_time(at, now)), None) for unit in units]
    return max((at for at in times if at), default=None)


def _is_time(at: int | None, now: int) -> bool:
    return at is not None and EARLIEST <= at <= now + AHEAD


def _view(
    title: Title,
    kind: str,
    media: int,
    duration: int,
    watched_at: int,
    *,
    name: str = "",
    season: int | None = None,
    number: int | None = None,
    missing: bool = False,
) -> View:
    is_episode = kind == "episode"
    return View(
        type="episode" if is_episode else "movie",
        item=title.item,
        media=media,
        title=name if is_episode else title.title,
        show=title.title if is_episode else None,
        season=season,
        number=number,
        year=title.year,
        imdb=title.imdb,
        watched_at=watched_at,
        duration=duration,
        timestamp_missing=missing,
    )
