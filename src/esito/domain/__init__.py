"""The rules of Esito: standard library only, no input, no output, no waiting."""
