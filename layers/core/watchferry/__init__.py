"""Watchferry: carries every finished Kinopub view to Trakt, exactly once."""

__version__ = "0.1.0"
