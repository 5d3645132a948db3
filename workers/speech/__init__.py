"""Listening and speaking: by whom, and who follows where one fails."""
