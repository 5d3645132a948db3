"""A spoken conversation without its transport: who has the floor, what is heard, what is said."""
