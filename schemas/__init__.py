"""What crosses a border: settings, errors, events, request bodies and tables."""
