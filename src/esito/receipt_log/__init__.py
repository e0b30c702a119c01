"""The receipt log between gateways and the store: its interface, frames, spool, publisher, consumer and JetStream."""
