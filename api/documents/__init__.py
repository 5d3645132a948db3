"""Documents on their way in, and what has become of them."""
