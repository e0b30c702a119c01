"""What we ask of a database, in the language of the field: one file per noun, with its protocol and its records."""
