"""Webhooks on their way: hundreds at a time from one process, each try as it may be kept."""
