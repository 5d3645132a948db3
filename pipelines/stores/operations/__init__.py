"""What keeps the deployment going: the health of providers, calls, mails, notices, the audit log."""
