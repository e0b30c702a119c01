"""`python -m esito` is `esito`."""

from esito.cli.main import cli

cli(prog_name="esito")
