"""A real store and a clock that moves only when it is pushed, as for the lifecycle."""

from tests.unit.lifecycle.conftest import anyio_backend, clock, store  # noqa: F401  fixtures
