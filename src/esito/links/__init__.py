"""The ways to operators: links, who may use each, and which take the place of one that is down."""
