"""The log of receipts between gateways and the store: what it promises, its frames, its spool, and NATS JetStream."""
