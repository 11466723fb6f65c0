"""A TMDB client: tmdbsimple as it is, another base URL, an API token for its key.

python with_tmdbsimple.py <base URL> <token> <a film's title> <its IMDb id>
"""

import json
import sys

import here  # noqa: F401
import tmdbsimple

base_url, tmdbsimple.API_KEY, title, imdb = sys.argv[1:]


def at[T](endpoint: T) -> T:
    endpoint.base_uri = base_url
    return endpoint


hits = at(tmdbsimple.Search()).movie(query=title)["results"]
found = at(tmdbsimple.Find(imdb)).info(external_source="imdb_id")["movie_results"]
details = at(tmdbsimple.Movies(found[0]["id"])).info()
print(json.dumps({"hits": [hit["id"] for hit in hits], "id": details["id"], "title": details["title"]}))
