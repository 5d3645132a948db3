"""The parts of bench/ingest.py, one for each question."""
