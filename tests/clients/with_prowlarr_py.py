"""A client of Prowlarr: prowlarr-py as it is, another base URL, an API token for its key.

python with_prowlarr_py.py <base URL> <token>
"""

import json
import sys

import here  # noqa: F401
import prowlarr
import urllib3

configuration = prowlarr.Configuration(host=sys.argv[1])
configuration.api_key["X-Api-Key"] = sys.argv[2]
refused: list[object] = []
with prowlarr.ApiClient(configuration) as client:
    search = prowlarr.SearchApi(client)
    releases = search.list_search(query="the", type="movie", indexer_ids=[1, 3])
    try:
        search.list_search(query="the", indexer_ids=[99])
    except prowlarr.ApiException as error:
        refused = [error.status, error.body]

torrent = next(release for release in releases if release.indexer_id == 1)
nzb = next(release for release in releases if release.indexer_id == 3)
# Its links are followed by whoever gets them, a download client most often, without any header.
links = (torrent.download_url, torrent.magnet_url, nzb.download_url)
got = [urllib3.PoolManager().request("GET", link, redirect=False) for link in links]
print(
    json.dumps(
        {
            "titles": [release.title for release in releases],
            "torrent": torrent.title,
            "statuses": [answer.status for answer in got],
            "bytes": got[0].data.hex(),
            "magnet": got[1].headers.get("location"),
            "type": got[2].headers.get("content-type"),
            "refused": refused,
        }
    )
)
