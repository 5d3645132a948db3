"""What `bench.search` is made of."""
