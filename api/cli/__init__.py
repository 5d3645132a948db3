"""Commands of a terminal: `flask --app api …`."""
