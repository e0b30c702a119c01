"""Callbacks to the senders' own servers: where they may go, how they are signed, sent and tried again."""
