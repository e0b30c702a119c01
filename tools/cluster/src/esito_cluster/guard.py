"""Runs a program, and ends whatever it leaves behind: `python -m esito_cluster.guard USER PROGRAM WORDS ...`.

Patroni leaves its PostgreSQL running when it dies; here nothing may outlive the program that began it. All that
descends from the guard becomes its child when a process in between ends. By SIGHUP, which it is sent when whoever began
it has died, it ends everything at once.
"""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
from typing import Any

from esito_cluster.families import family_of, signal_all

_PR_SET_CHILD_SUBREAPER = 36


def main() -> int:
    """Run the program to its end, and return what it returned."""
    user, *words = sys.argv[1:]
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    asked = {signal.SIGHUP}
    signal.pthread_sigmask(signal.SIG_BLOCK, asked)  # until there is somebody to pass it on to
    program = subprocess.Popen(  # noqa: S603  what it runs is said by whoever runs it
        words,
        cwd="/",  # the user may not be let into ours, and Patroni's children look where they are
        preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, asked),  # noqa: PLW1509  there are no threads
        **_as(user),
    )
    signal.signal(signal.SIGHUP, lambda *_: signal_all(family_of(os.getpid()), signal.SIGKILL))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, asked)
    code = _await(program.pid)
    _end_the_rest()
    return code


def _as(user: str) -> dict[str, Any]:
    """Return what Popen needs to run it as another user, which root alone can."""
    if os.geteuid() != 0:
        return {}
    identity = pwd.getpwnam(user)
    environment = {**os.environ, "HOME": identity.pw_dir}
    return {"user": identity.pw_uid, "group": identity.pw_gid, "extra_groups": [], "env": environment}


def _await(pid: int) -> int:
    while True:
        ended, status = os.waitpid(-1, 0)  # others end as well, of which nobody else takes notice
        if ended == pid:
            return os.waitstatus_to_exitcode(status)


def _end_the_rest() -> None:
    while True:
        signal_all(family_of(os.getpid()), signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


if __name__ == "__main__":
    sys.exit(main())
