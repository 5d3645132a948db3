"""Bodies of requests and of their answers, in the rooms that the front door (`api`) has."""
