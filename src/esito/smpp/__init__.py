"""SMPP 3.4 seen from the ESME: records, codec, session, links."""
