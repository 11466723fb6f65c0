"""A Trakt client: pytrakt as it is, another base URL. Says what it did as JSON, on the last line.

python with_pytrakt.py <base URL> <a film's IMDb id> <folder for its settings>
"""

import json
import sys
import time

import here  # noqa: F401
import trakt.core
from trakt import movies, sync, users
from trakt.errors import OAuthException, OAuthRefreshException

base_url, imdb, folder = sys.argv[1:]
trakt.core.BASE_URL = base_url
trakt.core.CONFIG_PATH = f"{folder}/pytrakt.json"
trakt.core.AUTH_METHOD = trakt.core.DEVICE_AUTH

trakt.init(client_id="any", client_secret="any")  # prints the code and polls until somebody has agreed
config, api = trakt.core.config(), trakt.core.api()
told = {"tokens": [config.OAUTH_TOKEN, config.OAUTH_REFRESH]}

before = api.get("sync/history?page=1&limit=250")
told["user"] = users.get_user_settings()["user"]["username"]
told["trending"] = len(movies.trending_movies())
told["added"] = sync.add_to_history({"movies": [{"ids": {"imdb": imdb}, "watched_at": "2026-01-02T03:04:05.000Z"}]})
after = api.get("sync/history?page=1&limit=250")
told["plays"] = [len(before), len(after)]

config.OAUTH_EXPIRES_AT = int(time.time())  # as if a week had gone by
told["after_refresh"] = len(api.get("sync/history?page=1&limit=250"))
told["tokens"] += [config.OAUTH_TOKEN, config.OAUTH_REFRESH]

told["revoked"] = api.post("/oauth/revoke", {"token": config.OAUTH_TOKEN, "client_id": "any", "client_secret": "any"})
try:
    api.get("sync/history?page=1&limit=250")
except OAuthException:
    told["then"] = "signed out"
config.OAUTH_EXPIRES_AT = int(time.time())
try:
    api.get("sync/history?page=1&limit=250")
except OAuthRefreshException:
    told["and"] = "for good"
print(json.dumps(told))
