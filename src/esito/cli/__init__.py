"""The command line; exit code 0: done, 1: refused or failed, 2: wrong usage."""
