"""Kinopub's answers as they come: what is blank counts as missing (reality.md, Kinopub)."""

from watchferry.clients.kinopub import HistoryRow, Item, Watched


def test_blank_fields_count_as_missing() -> None:
    """One empty field must not make a whole answer unreadable, run after run."""
    row = HistoryRow.model_validate(
        {
            "last_seen": None,
            "first_seen": "",
            "item": {"id": "7", "title": None, "year": "", "imdb": None},
            "media": {"id": 3, "duration": "", "title": None},
        }
    )
    assert (row.last_seen, row.item.id, row.item.title, row.item.year, row.media.duration) == (0, 7, "", None, None)
    episode = Watched.model_validate({"id": 1, "status": None, "updated": "", "duration": "2700"})
    assert (episode.status, episode.updated, episode.duration) == (-1, None, 2700)


def test_a_null_imdb_is_an_answer() -> None:
    """Only a row without the field sends us to `/v1/items/{id}`."""
    assert Item.model_validate({"id": 1, "imdb": None}).tells_imdb
    assert not Item.model_validate({"id": 1}).tells_imdb
