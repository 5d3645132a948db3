"""Tenants: their settings, assistants, keys of providers, what they may use and have used, and their end."""
