"""Callbacks to the servers of senders: where they may go, how they are signed, sent and retried."""
