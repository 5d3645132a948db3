"""Events as they happen, told to many at once: over HTTP and over sockets, each once and in order."""
