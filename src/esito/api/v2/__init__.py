"""The endpoints of version 2; the key is in the `Authorization` header."""
