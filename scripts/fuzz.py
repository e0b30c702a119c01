"""Fuzzes what reads octets from operators, guided by coverage (atheris), and plays histories on a store (hypothesis).

    python scripts/fuzz.py                     every target: ten minutes of octets, then 20,000 histories
    python scripts/fuzz.py codec --seconds 60  one target
    python scripts/fuzz.py codec --again FILE  one input, as a crash was saved
    python scripts/fuzz.py histories --count 5000 --seed 7 --store postgres

The properties stand in tests/fuzz/properties.py. The first inputs are the PDUs of the receipt
cases. What breaks a property is written to `fuzz-<target>-*` in the directory for `--crashes`.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
CASES = ROOT / "tests" / "receipts" / "cases.json"
HISTORIES = "histories"
LONGEST = 512
"""Octets of an input; longer ones reach nothing that shorter ones do not."""


def main() -> int:
    """Run the targets one after the other; each has a process of its own, as the fuzzer never returns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", nargs="?")
    parser.add_argument("--seconds", type=int, default=600, help="in all, shared by the targets")
    parser.add_argument("--again", type=Path, help="try this one input")
    parser.add_argument("--crashes", type=Path, default=Path.cwd(), help="where inputs that break a property go")
    parser.add_argument("--count", type=int, default=20_000, help="histories that are played")
    parser.add_argument("--seed", type=int, help="of the histories, as an earlier run printed it")
    parser.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite", help="where histories are played")
    parser.add_argument("--corpus", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    if asked.corpus:  # before anything is imported that must be instrumented
        fuzz(asked.target, asked.corpus, asked.seconds, asked.crashes)
    from tests.fuzz.properties import TARGETS  # noqa: PLC0415  found only with the root on the path

    if asked.again:
        TARGETS[asked.target](asked.again.read_bytes())
        return 0
    names = [asked.target] if asked.target else [*TARGETS, HISTORIES]
    octets = [name for name in names if name != HISTORIES]
    codes = [started(name, max(1, asked.seconds // len(octets)), asked.crashes) for name in octets]
    if HISTORIES in names:
        codes.append(played(asked.store, asked.count, asked.seed))
    return max(codes)


def played(store: str, count: int, number: int | None) -> int:
    """Play histories; print the shortest of those that break a promise, and return 1 if there are any."""
    from tests.histories.trying import histories  # noqa: PLC0415  found only with the root on the path
    from tests.histories.watch import Broken  # noqa: PLC0415  as above

    try:
        histories(store, count, number=number, told=lambda done: progress(done, count))
    except Broken as broken:
        print(broken)
        return 1
    except ExceptionGroup as several:
        print(*several.exceptions, sep="\n\n")
        return 1
    return 0


def progress(done: int, count: int) -> None:
    """Say now and then how far we are."""
    if done % 1000 == 0 and done <= count:  # beyond, what was found is being shrunk
        print(f"{done} of {count}", flush=True)


def started(name: str, seconds: int, crashes: Path) -> int:
    """Fuzz one target in a process of its own; return its exit code."""
    with tempfile.TemporaryDirectory() as folder:
        for number, octets in enumerate(seeds()):
            (Path(folder) / f"{number:04d}").write_bytes(octets)
        words = [
            sys.executable,
            __file__,
            name,
            "--corpus",
            folder,
            "--seconds",
            str(seconds),
            "--crashes",
            str(crashes),
        ]
        print(f"fuzzing {name} for {seconds} s", flush=True)
        return subprocess.run(words, check=False).returncode


def fuzz(name: str, corpus: Path, seconds: int, crashes: Path) -> None:
    """Fuzz until the time is over or a property is broken; it ends the process."""
    import atheris  # type: ignore[import-untyped]  # noqa: PLC0415  it has no types; the parent does without it

    with atheris.instrument_imports(include=["esito.smpp", "esito.domain"]):
        from tests.fuzz.properties import TARGETS  # noqa: PLC0415  instrumented as it is imported

    words = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", "-timeout=5", "-print_final_stats=1",
             f"-artifact_prefix={crashes}{os.sep}fuzz-{name}-", str(corpus)]  # fmt: skip
    atheris.Setup([sys.argv[0], *words], TARGETS[name])
    atheris.Fuzz()


def seeds() -> list[bytes]:
    """Return texts of receipts and whole PDUs to begin with."""
    from esito.smpp.codec import encode  # noqa: PLC0415  the fuzzing process must instrument it first
    from esito.smpp.pdu import DeliverSm, EsmClass  # noqa: PLC0415  as above

    texts = {text for text in strings(json.loads(CASES.read_text(encoding="utf-8"))) if "stat:" in text}
    found = []
    for text in sorted(texts):
        octets = text.encode("utf-8")[:254]
        pdu = DeliverSm(
            sequence=1, source_addr="33612345678", destination_addr="36111", esm_class=EsmClass.DELIVERY_RECEIPT,
            short_message=octets, tlvs={0x001E: b"1001\0", 0x0427: b"\2"},
        )  # fmt: skip
        found += [b"\4" + octets, encode(pdu), encode(pdu)[16:]]
    return found


def strings(value: object) -> list[str]:
    """Return every text within a JSON value."""
    if isinstance(value, str):
        return [value]
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inside for text in strings(one)]


if __name__ == "__main__":
    sys.exit(main())
