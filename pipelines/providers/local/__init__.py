"""Models that run inside AURA's own processes: no key, no server, no download."""
