"""The life of a message, in order: accept, submit, receive, expire."""
