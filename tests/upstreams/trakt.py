"""Trakt's stand-in: the API and the OAuth host in one app, as strict and as odd as the real ones."""

from typing import Any

from .catalogue import Episode, Movie
from .plays import Play
from .trakt_lookup import LookupRoutes
from .trakt_oauth import OAuthRoutes
from .trakt_sync import SyncRoutes


class Trakt(OAuthRoutes, LookupRoutes, SyncRoutes):
    """Everything of Trakt that Watchferry calls. State changes through the routes or through the methods below."""

    def add_play(self, user: str, thing: Movie | Episode, at: float, action: str = "scrobble") -> Play:
        """A play that came from elsewhere (`at` in unix seconds)."""
        with self.lock:
            return self.store(self.users[user], thing, round(at * 1000), action)

    def remove_play(self, user: str, play_id: int) -> None:
        """The user deletes a play on Trakt's page."""
        with self.lock:
            self.users[user].plays.remove(play_id)

    def plays(self, user: str) -> list[dict[str, Any]]:
        """All plays of a user, newest first, in the form of /sync/history; late effects that are due are among them."""
        with self.lock:
            self.settle()
            return [play.as_json() for play in self.users[user].plays]
