"""The files of other projects that the package ships: fetched by pins, and checked against them.

`python tests/checks/vendored.py` compares what is here with the pins and touches no network; with `--fetch` it
has npm download the pinned tarballs, checks them, and writes the files anew.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import hashlib
import io
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

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
    """The SHA-512 of each file that is taken, by its path in the package; here it lies by its name alone."""

    is_packed: bool = False
    """Whether files of over 16 KB are kept compressed."""

    variable: str | None = None
    """What a script defines that is to be imported: at the end of the file here, it is exported."""

    def places(self) -> Iterator[tuple[str, Path, str]]:
        """Yield the path in the package, the place here, and the SHA-512 of each file."""
        for path, expected in self.files.items():
            yield path, ROOT / self.folder / PurePosixPath(path).name, expected


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
        is_packed=True,
    ),
    Package(
        "preact",
        "11.2.0",
        "sha512-/HfHI/7N84e6GrWBJ3J280z3mLaRJiDcSvj/A+y/4AbLnND/1UlGHe1sR6oYuTGwId0nP7dqDU9OnLxMPZ7xBg==",
        "novel_tasks_server/dashboard/vendor/preact",
        {
            "dist/preact.mjs": (
                "sha512-selsyHt28hWSbutuuwWayUATzvsgvWiGTSbtDbhRaQTzzR+If5qsQOSwU+EnFLQutrhV81YsTunVJK26fmvdDg=="
            ),
            "hooks/dist/hooks.mjs": (
                "sha512-wIuf1TsmAPmto/ELMUGJwEBe/at7+/ijt+setal/66l3zqdTT88/HcfmX1skwm5ZCYjJIpyVHrwWF75lBSgleA=="
            ),
            "LICENSE": (
                "sha512-6my4RGF9+dbak8UWEHnlkBIgwR6jKLQkBXoEKfmw/mMa1rnyd24LpWRre5YwAIj0Y/IDisBzjq4Piw/dP0fjcg=="
            ),
        },
    ),
    Package(
        "@preact/signals",
        "2.11.4",
        "sha512-Rb+5RPo9gWSaHtzJeauhHxiC8KP/IF2DEPkHPEOGOnuy2wnJzRqyeLRankUCYd6ADqtxS6GnWGv6Ie343d8aYw==",
        "novel_tasks_server/dashboard/vendor/signals",
        {
            "dist/signals.module.js": (
                "sha512-jF27L+EDNkUMJtw7WFL2o8qlXtz19BKbJtEANtr5DPmYtqCF/cdZzeMG4BAyxkbvjaShrcQW3HD2O2eYxiSqKA=="
            ),
            "LICENSE": (
                "sha512-TucYY1oRpzVwIyo8cKdBwG+YCyk25g38K5zGJl3RsWjx1AHko3LeOysJ9vHtwBjyVqicYvQoqCe2iLK0XSGfMw=="
            ),
        },
    ),
    Package(
        "@preact/signals-core",
        "1.14.5",
        "sha512-vcRv7Ityz5JVmeiVqIluLFzT/PDS/AlhHUpw3/aUWqcVUs6bDGIPXE/6RSC4evBNWYvnniozg5Syfj33al3gkg==",
        "novel_tasks_server/dashboard/vendor/signals-core",
        {
            "dist/signals-core.module.js": (
                "sha512-GycRWWa05aYbCV9rSJF9a8etP0f0ZagKGho0pvjLE9492UEFzH9gah2o3HtTXA0QPJge6BKagAe+GMYGfilfbw=="
            ),
            "LICENSE": (
                "sha512-TucYY1oRpzVwIyo8cKdBwG+YCyk25g38K5zGJl3RsWjx1AHko3LeOysJ9vHtwBjyVqicYvQoqCe2iLK0XSGfMw=="
            ),
        },
    ),
    Package(
        "htm",
        "3.1.1",
        "sha512-983Vyg8NwUE7JkZ6NmOqpCZ+sh1bKv2iYTlUkzlWmA5JD2acKoxd4KVxbMmxX/85mtfdnDmTFoNKcg5DGAvxNQ==",
        "novel_tasks_server/dashboard/vendor/htm",
        {
            "dist/htm.module.js": (
                "sha512-TXdoWjmooMSasl6EfWdABy+fpJFGbmKVoodY2m2VlP46zlETWaHccFLQYXkKyv8YPIY4nDRbRUnuzMDGqWfkSA=="
            ),
            "LICENSE": (
                "sha512-nOQY1H1YoDXqFfdKX+s4eby128QDCZy8EGUG8dAQXvWwOqNhJx7cSN5J0DRgDebIulyyxpBkM1xpUXpq+8+mVQ=="
            ),
        },
    ),
    Package(
        "uplot",
        "1.6.32",
        "sha512-KIMVnG68zvu5XXUbC4LQEPnhwOxBuLyW1AHtpm6IKTXImkbLgkMy+jabjLgSLMasNuGGzQm/ep3tOkyTxpiQIw==",
        "novel_tasks_server/dashboard/vendor/uplot",
        {
            "dist/uPlot.iife.min.js": (
                "sha512-jfm4wrxgq73ZXFzyYPRmgfQd7yYjtsH57SzfgjpieX4rgnfHAMAZJgQ1YLTsc6HOX+1tnGjnkFuerbc8oI2mJg=="
            ),
            "dist/uPlot.min.css": (
                "sha512-xXYYvGoPqOjhMwkpkxWTDv7HvlyrkyEqzc4USFr/ZtBYC7eklE3DNBDccqiMj2VzRKSffZzeqVRckdYzJx9qfQ=="
            ),
            "LICENSE": (
                "sha512-Jq1RNLJNonsKli9o1tenKiBqppxMs3bElPMv2IfNU0bXwymuiMyRl4UQgH45VJTBR1OXaDEt3+Q+WPH1O+DNVQ=="
            ),
        },
        variable="uPlot",
    ),
    Package(
        "@picocss/pico",
        "2.1.1",
        "sha512-kIDugA7Ps4U+2BHxiNHmvgPIQDWPDU4IeU6TNRdvXQM1uZX+FibqDQT2xUOnnO2yq/LUHcwnGlu1hvf4KfXnMg==",
        "novel_tasks_server/dashboard/vendor/pico",
        {
            "css/pico.min.css": (
                "sha512-+4kjFgVD0n6H3xt19Ox84B56MoS7srFn60tgdWFuO4hemtjhySKyW4LnftYZn46k3THUEiTTsbVjrHai+0MOFw=="
            ),
            "LICENSE.md": (
                "sha512-jomp2BI3gdXoKkDR5mypvKjArCgb252/oWO1kuwEe20VIPWGNplGdW5quW+6F4haLZAbsNTcH4GfHZvznfXwvA=="
            ),
        },
    ),
)
_PACKED_BYTES = 16_384


def digest(data: bytes) -> str:
    """Return the SHA-512 as npm writes it."""
    return f"sha512-{base64.b64encode(hashlib.sha512(data).digest()).decode()}"


def faults(package: Package) -> Iterator[str]:
    """Yield what differs between the files here and the pins."""
    for _, path, expected in package.places():
        packed = path.with_name(f"{path.name}.gz")
        if not path.exists() and not packed.exists():
            yield f"{path}: missing"
            continue
        data = path.read_bytes() if path.exists() else gzip.decompress(packed.read_bytes())
        added = _added(package, path)
        if not data.endswith(added) or digest(data.removesuffix(added)) != expected:
            yield f"{path}: is not what {package.name} {package.version} holds"


def _added(package: Package, path: Path) -> bytes:
    """Return the line that makes a module of a script that is none."""
    return f"\nexport default {package.variable};\n".encode() if package.variable and path.suffix == ".js" else b""


def fetch(package: Package) -> None:
    """Download the tarball by npm and write the files. Raises: ValueError for bytes that are not those of the pins."""
    with TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", "--pack-destination", folder, f"{package.name}@{package.version}"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        tarball = next(Path(folder).iterdir()).read_bytes()
    if digest(tarball) != package.integrity:
        raise ValueError(f"{package.name} {package.version}: {digest(tarball)} instead of {package.integrity}")
    with tarfile.open(fileobj=io.BytesIO(tarball)) as archive:
        for name, path, expected in package.places():
            member = archive.extractfile(f"package/{name}")
            data = b"" if member is None else member.read()
            if digest(data) != expected:
                raise ValueError(f"{package.name}: {name}: {digest(data)} instead of {expected}")
            _write(path, data + _added(package, path), is_packed=package.is_packed)


def _write(path: Path, data: bytes, *, is_packed: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if is_packed and len(data) > _PACKED_BYTES:
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
