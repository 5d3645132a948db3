"""What lasts beyond a turn: conversations, preferences, feedback, and forgetting them."""
