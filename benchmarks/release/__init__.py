"""What each release does in the benchmark of upgrades, with its own code."""
