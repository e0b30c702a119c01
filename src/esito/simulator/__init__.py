"""An SMPP server that behaves like an operator: late, twice, out of order, or not at all."""
