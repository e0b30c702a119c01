"""The receipt torture suite: every case of a file, end to end over real sockets against the running server."""
