"""Calls of providers: what they cost, which of them work, what need not be asked twice."""
