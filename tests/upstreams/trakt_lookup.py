"""Trakt's public answers: search by id and by text, seasons and episodes, trending."""

from collections.abc import Sequence
from typing import Any

from .catalogue import ID_TYPES, Episode, Movie, Season, Show
from .trakt_base import TraktBase
from .web import Request, Response, route


class LookupRoutes(TraktBase):
    @route("GET", "/search/{id_type}/{value}")
    def search_by_id(self, request: Request, id_type: str, value: str) -> Response:
        """`score` is null for id lookups (reality: Trakt). An unknown id is an empty list, not a 404."""
        if id_type not in ID_TYPES or id_type == "slug":
            return self.unknown(request, other_methods=False)
        kinds = request.arg("type", "movie,show,episode").split(",")
        if id_type == "imdb" and self.options.episode_imdb != "by_type":
            kinds = [kind for kind in kinds if kind != "episode"]
            kinds += ["episode"] if self.options.episode_imdb == "always" else []
        hits = [thing for kind in kinds for thing in self.catalogue.by_id(kind, id_type, value)]
        page, limit = self.page_of(request)
        shown = [_hit(thing, None) for thing in hits[(page - 1) * limit : page * limit]]
        return self.paged(shown, len(hits), page, limit)

    @route("GET", "/search/{kinds}")
    def search_by_text(self, request: Request, kinds: str) -> Response:
        hits = self.catalogue.search(kinds.split(","), request.arg("query"))
        page, limit = self.page_of(request)
        shown = [_hit(thing, score) for score, thing in hits[(page - 1) * limit : page * limit]]
        return self.paged(shown, len(hits), page, limit)

    @route("GET", "/shows/{reference}/seasons")
    def seasons(self, request: Request, reference: str) -> Response:
        """Every season; with `extended=episodes` every episode too, in one call (reality: Trakt, Season endpoint)."""
        show = self.catalogue.show(reference)
        if show is None:
            return Response(404)
        extended = request.arg("extended").split(",")
        with_episodes = "episodes" in extended and not self.options.documented_season_form
        shown = [_season(show, season, with_episodes, "full" in extended) for season in _ordered(show)]
        if self.options.empty_episodes and with_episodes:
            shown = [season | {"episodes": []} for season in shown]
        return Response.json(shown)

    @route("GET", "/shows/{reference}/seasons/{number}")
    def season(self, request: Request, reference: str, number: str) -> Response:
        """A flat list of episodes; in the documented form a list of one season that holds them."""
        show = self.catalogue.show(reference)
        season = show.seasons.get(int(number)) if show and number.isdigit() else None
        if show is None or season is None:
            return Response(404)
        episodes = [] if self.options.empty_seasons else _episodes(season)
        if self.options.documented_season_form:
            return Response.json([{"number": season.number, "episodes": episodes}])
        return Response.json(episodes)

    @route("GET", "/movies/trending")
    def movies_trending(self, request: Request) -> Response:
        return self._trending(request, self.catalogue.movies)

    @route("GET", "/shows/trending")
    def shows_trending(self, request: Request) -> Response:
        return self._trending(request, self.catalogue.shows)

    def _trending(self, request: Request, things: Sequence[Movie | Show]) -> Response:
        page, limit = self.page_of(request)
        chosen = list(enumerate(things))[(page - 1) * limit : page * limit]
        shown = [{"watchers": len(things) - place, thing.kind: thing.brief()} for place, thing in chosen]
        return self.paged(shown, len(things), page, limit)


def _hit(thing: Movie | Show | Episode, score: float | None) -> dict[str, Any]:
    hit = {"type": thing.kind, "score": score, thing.kind: thing.brief()}
    return hit | {"show": thing.show.brief()} if isinstance(thing, Episode) else hit


def _ordered(show: Show) -> list[Season]:
    return [show.seasons[number] for number in sorted(show.seasons)]


def _episodes(season: Season) -> list[dict[str, Any]]:
    return [season.episodes[number].brief() for number in sorted(season.episodes)]


def _season(show: Show, season: Season, with_episodes: bool, full: bool) -> dict[str, Any]:
    shown = season.brief()
    if full:
        count = len(season.episodes)
        title = f"Season {season.number}" if season.number else "Specials"
        shown |= {"title": title, "episode_count": count, "aired_episodes": count, "network": None, "overview": None}
    return shown | {"episodes": _episodes(season)} if with_episodes else shown
