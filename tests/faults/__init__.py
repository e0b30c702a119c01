"""Parts of a whole cluster are killed, stopped, cut off, filled and damaged while it works.

After each: the books balance, and nothing that was answered is missing. How long each outage was is printed at the end.
"""
