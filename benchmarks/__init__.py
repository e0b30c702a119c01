"""What Esito's speed is, each figure against a baseline of the same run (`make bench`)."""
