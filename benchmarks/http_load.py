"""Load over HTTP, made by wrk from a process of its own."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple


class Load(NamedTuple):
    """What one run of wrk came to."""

    per_second: float
    p99_ms: float
    errors: int


def get(url: str, *, connections: int, seconds: int) -> Load:
    return _run(["-c", str(connections), f"-d{seconds}s", url])


def get_any(url: str, last: int, folder: Path, *, connections: int, seconds: int) -> Load:
    """Ask for `url` with a number by chance, from 1 to `last`, behind it."""
    script = folder / "any.lua"
    script.write_text(
        f'math.randomseed(1)\nlocal path = "{url.partition("//")[2].partition("/")[2]}"\n'
        f'request = function() return wrk.format("GET", "/" .. path .. math.random(1, {last})) end\n',
        encoding="utf-8",
    )
    return _run(["-c", str(connections), f"-d{seconds}s", "-s", str(script), url])


def post(url: str, body: str, folder: Path, *, connections: int, seconds: int) -> Load:
    script = folder / "post.lua"
    script.write_text(
        f'wrk.method = "POST"\nwrk.body = [==[{body}]==]\nwrk.headers["Content-Type"] = "application/json"\n',
        encoding="utf-8",
    )
    return _run(["-c", str(connections), f"-d{seconds}s", "-s", str(script), url])


def _run(arguments: list[str]) -> Load:
    wrk = shutil.which("wrk")
    if wrk is None:
        raise SystemExit("make bench needs wrk: run it as root once, or install Debian's package wrk")
    said = subprocess.run([wrk, "-t1", "--latency", *arguments], capture_output=True, text=True, check=True).stdout
    per_second = float(_find(r"Requests/sec:\s+([\d.]+)", said))
    amount, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", said).groups()  # type: ignore[union-attr]  # always printed
    p99_ms = float(amount) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]
    errors = int(_find(r"Non-2xx or 3xx responses: (\d+)", said, "0"))
    errors += sum(int(count) for count in re.findall(r"(?:connect|read|write|timeout) (\d+)", said))
    return Load(per_second, p99_ms, errors)


def _find(pattern: str, text: str, otherwise: str = "") -> str:
    found = re.search(pattern, text)
    return found.group(1) if found else otherwise
