"""Where things are kept: Postgres (truth), the object store (bytes), Redis (live events)."""
