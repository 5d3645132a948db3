"""One tree of errors. A class's docstring is the sentence its user reads; see `tree` for what all have."""

from schemas.errors import addresses, callers, files, providers, requests, sound, tree, uploads, work

KINDS = (tree, providers, callers, requests, addresses, uploads, files, sound, work)
"""All of the tree is loaded with any part of it: an error is made again by its code, wherever it comes from."""
