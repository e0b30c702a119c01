"""Makes .venv from uv.lock, on a machine that has python3 and a package index and nothing else.

No pip, no venv module, no curl is asked for: uv is one wheel with one program inside, fetched
here with urllib and held against a hash kept in this file; uv does the rest. A second run
finds its stamp and returns at once.

Settings of the machine that are honoured: the proxy variables, SSL_CERT_FILE (or PIP_CERT,
REQUESTS_CA_BUNDLE), and UV_DEFAULT_INDEX, UV_INDEX_URL or PIP_INDEX_URL for a mirror of PyPI.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import hashlib
import html.parser
import http.client
import importlib.util
import io
import os
import platform
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

OLDEST_PYTHON = (3, 11)
PYPI = "https://pypi.org/simple"
UV_VERSION = "0.13.9"
# The Linux wheels hold a static program, so that one serves glibc and musl alike.
UV_WHEELS = {
    ("Linux", "x86_64"): (
        "musllinux_1_1_x86_64",
        "2c45530751517d6c3bbc69a19473f6effe47cce047bede01ffd8af7ea7b36b25",
    ),
    ("Linux", "aarch64"): (
        "manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64",
        "5435c5ce14a56431208ca0996416d310f1598e8c2c8ba707688985a16bb82dbe",
    ),
    ("Darwin", "arm64"): (
        "macosx_11_0_arm64",
        "66c512266d633bef48384a1f53003f41f2a8e7b36fe6e7fbfd3e0fd52d96fa63",
    ),
}

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "esito-setup.stamp"
TOOLS = ROOT / ".tools"
SYSTEM_PYTHON = "/usr/bin/python3"
"""That of the system, which every user may run."""


class SetupError(Exception):
    """Something on this machine stands in the way; the text says what, and what to do."""


class WheelLinks(html.parser.HTMLParser):
    """The address of each file that a page of a simple index offers."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.page = page
        self.addresses: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        href = dict(attrs).get("href") if tag == "a" else None
        if href:
            address = urllib.parse.urldefrag(urllib.parse.urljoin(self.page, href)).url
            self.addresses[urllib.parse.unquote(address.rsplit("/", 1)[-1])] = address


def main() -> int:
    parser = argparse.ArgumentParser(description="Create or refresh .venv from uv.lock.")
    parser.add_argument("--lock", action="store_true", help="write uv.lock anew from pyproject.toml, using PyPI only")
    parser.add_argument("--sbom", type=Path, metavar="FILE", help="write what uv.lock names as CycloneDX JSON")
    parser.add_argument("--constraints", type=Path, metavar="FILE", help="write the tested versions for pip")
    parser.add_argument("--patroni", type=Path, metavar="FOLDER", help="install Patroni where every user may run it")
    parser.add_argument("--build", type=Path, metavar="DIRECTORY", help="build wheel, sdist, SBOM and constraints")
    arguments = parser.parse_args()
    try:
        check_python()
        if arguments.lock:
            lock()
        elif arguments.sbom:
            write_sbom(arguments.sbom)
        elif arguments.constraints:
            write_constraints(arguments.constraints)
        elif arguments.patroni:
            install_patroni(arguments.patroni)
        elif arguments.build:
            build(arguments.build)
        elif not is_ready():
            make_environment()
    except SetupError as problem:
        print(f"setup: {problem}", file=sys.stderr)
        return 1
    return 0


def check_python() -> None:
    if sys.version_info < OLDEST_PYTHON:
        raise SetupError(
            f"Esito needs Python {OLDEST_PYTHON[0]}.{OLDEST_PYTHON[1]} or newer; {sys.executable} is "
            f"{platform.python_version()}. Name another one: make PYTHON=python3.12 setup"
        )


def is_ready() -> bool:
    return (VENV / "bin" / "python").exists() and STAMP.exists() and STAMP.read_text() == fingerprint()


def fingerprint() -> str:
    """Everything that .venv depends on; the checkout's place too, since its programs name it."""
    digest = hashlib.sha256(str(ROOT).encode())
    for name in ("uv.lock", "pyproject.toml", "tools/cluster/pyproject.toml", "scripts/bootstrap.py"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def make_environment() -> None:
    uv = find_uv()
    index = package_index()
    if index == PYPI:
        run(uv, "sync", "--frozen", "--python", base_python())
    else:
        install_from_mirror(uv, index)
    STAMP.write_text(fingerprint())


def write_sbom(path: Path) -> None:
    """Write every package that an installation with all extras holds, as CycloneDX.

    Each with its version, its licence, and its files with their hashes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    run(
        find_uv(), "export", "--frozen", "--quiet", "--no-dev", "--all-extras", "--format", "cyclonedx1.5",
        "--preview-features", "sbom-export", "--output-file", str(path.resolve()),
    )  # fmt: skip
    command = [str(VENV / "bin" / "python"), str(ROOT / "scripts" / "licences.py"), str(path.resolve())]
    if subprocess.run(command, check=False).returncode:
        raise SetupError("the licences are missing; what is wrong is above")


def write_constraints(path: Path) -> None:
    """Write the versions that were tested together, for `pip install --constraint`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    run(
        find_uv(), "export", "--frozen", "--quiet", "--no-dev", "--all-extras", "--no-hashes", "--no-annotate",
        "--no-header", "--no-emit-workspace", "--output-file", str(path.resolve()),
    )  # fmt: skip


def build(directory: Path) -> None:
    """Build esito and esito-cluster; the SBOM and the tested versions lie beside them, named as esito."""
    version = re.search(r'^version = "([^"]+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    if version is None:
        raise SetupError("pyproject.toml names no version")
    index = package_index()
    mirror = [] if index == PYPI else ["--default-index", index]
    how = ["--all-packages", "--python", base_python(), *mirror, "--out-dir", str(directory.resolve())]
    run(find_uv(), "build", "--quiet", *how)
    write_sbom(directory / f"esito-{version[1]}.cdx.json")
    write_constraints(directory / f"esito-{version[1]}.constraints.txt")


def install_from_mirror(uv: Path, index: str) -> None:
    """Install what uv.lock names, with its hashes, but from another index than the lock's addresses."""
    run(uv, "venv", "--allow-existing", "--python", base_python(), str(VENV))
    with wanted_packages(uv) as wanted:
        sync(uv, VENV, index, wanted)
    ours = [word for folder in (ROOT, ROOT / "tools" / "cluster") for word in ("--editable", str(folder))]
    run(uv, "pip", "install", "--no-deps", "--default-index", index, "--python", str(VENV), *ours)


def install_patroni(folder: Path) -> None:
    """Install what uv.lock names for Patroni, under a Python that the user who runs PostgreSQL may read.

    That of .venv may be in root's home, where nobody else comes.
    """
    uv, held = find_uv(), folder / "locked.txt"
    with wanted_packages(uv, "--only-group", "patroni") as wanted:
        if held.exists() and held.read_text() == wanted.read_text():
            return
        run(uv, "venv", "--quiet", "--allow-existing", "--python", SYSTEM_PYTHON, str(folder))
        sync(uv, folder, package_index(), wanted)
        shutil.copyfile(wanted, held)


@contextlib.contextmanager
def wanted_packages(uv: Path, *groups: str) -> Iterator[Path]:
    """A file with what uv.lock names, with hashes: of these groups, or all that .venv is for."""
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "wanted.txt"
        options = ["--frozen", "--quiet", "--no-header", "--no-emit-workspace", "--output-file", str(file)]
        run(uv, "export", *options, *groups)
        yield file


def sync(uv: Path, environment: Path, index: str, wanted: Path) -> None:
    """Have an environment hold these packages and no other."""
    run(uv, "pip", "sync", "--require-hashes", "--default-index", index, "--python", str(environment), str(wanted))


def base_python() -> str:
    """The Python that .venv has already, so that another python3 on the PATH does not rebuild it; else this one."""
    own = VENV / "bin" / "python"
    return str(own) if own.exists() else sys.executable


def lock() -> None:
    """Resolve against PyPI alone: an index or a folder of this machine has no place in uv.lock."""
    elsewhere = ("UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_INDEX_URL", "UV_DEFAULT_INDEX")
    for name in elsewhere:
        os.environ.pop(name, None)
    run(find_uv(), "lock", "--no-config", "--default-index", PYPI, "--python", sys.executable)


def run(program: Path, *arguments: str) -> None:
    # The project's own environment is meant, whatever environment the caller has activated.
    left_out = {"VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT"}
    environment = {name: value for name, value in os.environ.items() if name not in left_out}
    environment["UV_PYTHON_DOWNLOADS"] = "never"
    bundle = certificates_named()
    if bundle:
        environment["SSL_CERT_FILE"] = bundle
    if bundle or has_system_certificates():
        environment["UV_SYSTEM_CERTS"] = "1"
    if subprocess.run([str(program), *arguments], cwd=ROOT, env=environment, check=False).returncode:
        raise SetupError(f"`uv {arguments[0]}` failed; what it said is above")


def find_uv() -> Path:
    """Return the pinned uv, fetching it first if need be."""
    uv = TOOLS / f"uv-{UV_VERSION}" / "uv"
    if uv.exists():
        return uv
    tag, wanted_hash = UV_WHEELS.get((platform.system(), platform.machine()), (None, None))
    if tag is None or wanted_hash is None:
        return own_uv()
    filename = f"uv-{UV_VERSION}-py3-none-{tag}.whl"
    print(f"setup: fetching uv {UV_VERSION}", flush=True)
    wheel = fetch_wheel(filename)
    if hashlib.sha256(wheel).hexdigest() != wanted_hash:
        raise SetupError(f"{filename} does not have the hash kept in scripts/bootstrap.py; nothing was installed")
    unpack_uv(wheel, uv)
    return uv


def own_uv() -> Path:
    """A uv the user brought, on a machine for which none is pinned here."""
    found = shutil.which("uv")
    if found is None:
        raise SetupError(
            f"no uv is pinned for {platform.system()} {platform.machine()}; "
            f"put uv {UV_VERSION} on the PATH and try again"
        )
    return Path(found)


def unpack_uv(wheel: bytes, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        program = archive.read(f"uv-{UV_VERSION}.data/scripts/uv")
    # Written beside its place and renamed, so that an interrupted run leaves no half program.
    part = target.with_name(f"uv.{os.getpid()}")
    part.write_bytes(program)
    part.chmod(0o755)
    part.replace(target)


def fetch_wheel(filename: str) -> bytes:
    page = package_index().rstrip("/") + "/uv/"
    try:
        links = WheelLinks(page)
        links.feed(download(page).decode())
        return download(links.addresses[filename])
    except KeyError:
        raise SetupError(f"{shown(page)} does not offer {filename}") from None
    except (OSError, ValueError, http.client.HTTPException) as reason:
        # pip knows netrc, keyrings and other ways into a company's index; where it is there, ask it.
        if importlib.util.find_spec("pip") is not None:
            return fetch_with_pip(filename)
        raise SetupError(f"cannot read {shown(page)}: {reason}") from reason


def fetch_with_pip(filename: str) -> bytes:
    with tempfile.TemporaryDirectory() as place:
        command = ["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", place]
        if subprocess.run([sys.executable, *command, f"uv=={UV_VERSION}"], check=False).returncode:
            raise SetupError("neither urllib nor pip can fetch uv; what pip said is above")
        found = next(Path(place).glob("uv-*.whl"))
        if found.name != filename:
            raise SetupError(f"pip fetched {found.name} where {filename} is pinned")
        return found.read_bytes()


def download(address: str) -> bytes:
    if urllib.parse.urlsplit(address).scheme not in {"http", "https"}:
        raise SetupError(f"{shown(address)} is not an http address")
    try:
        return read(address, ssl.create_default_context(cafile=certificates_named()))
    except urllib.error.URLError as reason:
        unknown = isinstance(reason.reason, ssl.SSLCertVerificationError)
        if not unknown or has_system_certificates() or address != shown(address):
            raise
        # A bare Debian has no certificates to compare with. What we fetch is held against the hash
        # above, so a stranger's answer is refused all the same; uv brings certificates of its own.
        return read(address, unverified())


def unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def read(address: str, context: ssl.SSLContext) -> bytes:
    asked = urllib.request.Request(shown(address))
    parts = urllib.parse.urlsplit(address)
    if parts.username:
        user_and_password = urllib.parse.unquote(f"{parts.username}:{parts.password or ''}").encode()
        # Unredirected: another host is not told the password.
        asked.add_unredirected_header("Authorization", f"Basic {base64.b64encode(user_and_password).decode()}")
    with urllib.request.urlopen(asked, timeout=60, context=context) as answer:
        content: bytes = answer.read()
    return content


def package_index() -> str:
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        # uv lets an index carry a name, as in `inside=https://...`
        address = re.sub(r"^[\w.-]+=(?=https?://)", "", os.environ.get(name, "").strip()).rstrip("/")
        if address:
            return address
    return PYPI


def certificates_named() -> str | None:
    """The bundle of certificates this machine's settings name; None: none is named."""
    for name in ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        named = os.environ.get(name)
        if named and Path(named).is_file():
            return named
    return None


def has_system_certificates() -> bool:
    # get_default_verify_paths() gives None for a path that is not there.
    bundle, folder = ssl.get_default_verify_paths()[:2]
    return bool(bundle) or (bool(folder) and any(Path(folder).iterdir()))


def shown(address: str) -> str:
    """The address without the user's name and password, which an index may carry."""
    parts = urllib.parse.urlsplit(address)
    return urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


if __name__ == "__main__":
    sys.exit(main())
