"""The sockets that spoken conversations come over: what clients send, and what they are sent."""
