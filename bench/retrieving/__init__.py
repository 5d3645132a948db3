"""What `bench/retrieval.py` asks: sets of documents with questions whose place is known, and the measures."""
