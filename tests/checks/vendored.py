"""The files of other projects that the package ships: fetched by pins, and checked against them.

`python tests/checks/vendored.py` compares what is here with the pins and touches no network; with `--fetch` it
downloads the pinned tarballs from the npm registry, checks them, and writes the files anew.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import hashlib
import io
import sys
import tarfile
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).parents[2]


@frozen
class Package:
    """One package of npm: which version, what its tarball must hash to, and what is taken from it to where."""

    name: str
    version: str
    integrity: str
    folder: str
    files: Mapping[str, str]
    """The SHA-512 of each file that is taken, by its name; those of over 16 KB are kept compressed."""

    @property
    def url(self) -> str:
        """Where the tarball is."""
        return f"https://registry.npmjs.org/{self.name}/-/{self.name.rpartition('/')[2]}-{self.version}.tgz"


PACKAGES = (
    Package(
        "swagger-ui-dist",
        "5.35.0",
        "sha512-U06rpMtW9V3XPGOBeamTUSr0Z09jMX4IJuANpE/EZbAhw0G8CgwrzU4YmXkn/h0wCDNsXdGarTNNHC3sU8yVUQ==",
        "novel_tasks_server/swagger",
        {
            "swagger-ui-bundle.js": (
                "sha512-arNf8tOjRvR3Y6xkarblLjcuWZ7x+WjV3Nnybt2g9IeOwNLXYCaHez7BY8C48IWSsGJEG88X1kFUls2jerB8zQ=="
            ),
            "swagger-ui.css": (
                "sha512-3/WSjXomWJgdBBzq8TcRDVfYsgJV43MzJe28Y9bBodIOPjXoAShLO/IB0MGkOd8D8HPYBuC/KKgiGrvrpypOrQ=="
            ),
            "LICENSE": (
                "sha512-mPa3m3ePewoVQVvXUMOooJfWUFEctOyBFRiOEVxHBT/nAPV4iVwJcFHJvD37YZfCsToV3iAyc+GjIYiE+G6Q6A=="
            ),
            "NOTICE": (
                "sha512-tqqAner6LZitgluMU5MSeYNnaP2rkxpa6W7e/uwl1EFSfw7KXz02Xeqf5wahfuAWjv+Or5A2AQS5nEtbf8I8iQ=="
            ),
            "swagger-ui-bundle.js.LICENSE.txt": (
                "sha512-t8OXWnJqlQau4A76b0hB/qYb30xw5tstj1Co47Mp+yGvfiwKTfU2kWzBqj/uC2FX8L91FBOvwvQkCl1dsQrYzA=="
            ),
        },
    ),
)
_COMPRESSED_BYTES = 16_384


def digest(data: bytes) -> str:
    """Return the SHA-512 as npm writes it."""
    return f"sha512-{base64.b64encode(hashlib.sha512(data).digest()).decode()}"


def faults(package: Package) -> Iterator[str]:
    """Yield what differs between the files here and the pins."""
    for name, expected in package.files.items():
        path = ROOT / package.folder / name
        packed = path.with_name(f"{name}.gz")
        if not path.exists() and not packed.exists():
            yield f"{path}: missing"
        elif digest(path.read_bytes() if path.exists() else gzip.decompress(packed.read_bytes())) != expected:
            yield f"{path}: is not what {package.name} {package.version} holds"


def fetch(package: Package) -> None:
    """Download the tarball and write the files. Raises: ValueError for bytes that are not those of the pins."""
    with urllib.request.urlopen(package.url, timeout=60) as answer:
        tarball = answer.read()
    if digest(tarball) != package.integrity:
        raise ValueError(f"{package.url}: {digest(tarball)} instead of {package.integrity}")
    with tarfile.open(fileobj=io.BytesIO(tarball)) as archive:
        for name, expected in package.files.items():
            member = archive.extractfile(f"package/{name}")
            data = b"" if member is None else member.read()
            if digest(data) != expected:
                raise ValueError(f"{name}: {digest(data)} instead of {expected}")
            _write(ROOT / package.folder / name, data)


def _write(path: Path, data: bytes) -> None:
    if len(data) > _COMPRESSED_BYTES:
        path, data = path.with_name(f"{path.name}.gz"), gzip.compress(data, 9, mtime=0)
    path.write_bytes(data)


def main() -> int:
    """Fetch if asked to, then compare; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--fetch", action="store_true", help="download the pinned versions first")
    if parser.parse_args().fetch:
        for package in PACKAGES:
            fetch(package)
    found = [fault for package in PACKAGES for fault in faults(package)]
    for fault in found:
        print(fault, file=sys.stderr)  # noqa: T201 - a program
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
