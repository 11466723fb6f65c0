"""Everything that proves Watchferry; a package so that tests can import the stand-ins by name."""
