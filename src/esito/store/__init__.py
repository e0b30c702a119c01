"""Where Esito keeps what it knows: the interface, and one adapter per database."""
