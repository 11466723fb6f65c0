"""Watchferry: carries every finished Kinopub view to Trakt, exactly once."""

import gc

__version__ = "0.1.0"

# A function's start makes some 290,000 objects, and nearly all of them stay. To look through them for garbage with
# every two thousand new ones, as Python does by itself, is a tenth of a cold start.
gc.set_threshold(300_000, 10, 10)
