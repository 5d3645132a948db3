"""Pure stages (`ingest`, `turn`) and the ports, providers and stores they are given."""
