"""Spoken conversations with providers of fixed delay: what `bench.voice` is made of."""
