"""The command line: exit code 0 when done, 1 when refused or failed, 2 when wrongly used."""
