"""A server of the log dies, is cut off, fills up, or finds its file damaged: no acknowledged receipt is missing."""
