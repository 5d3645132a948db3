"""Mails with what is attached to them: EML and MSG parse into a `Letter`, which is written out as elements."""
