"""The command line: `python -m benchmarks NAME... [options]`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

from benchmarks.harness import gate, tables
from benchmarks.harness.machine import describe, runner
from benchmarks.harness.results import Earlier, Facts, Report, Result, ResultsError, Table, read_earlier, to_json
from benchmarks.harness.run import Benchmark, BenchmarkError, BenchmarkSkippedError, Run, server, server_version
from novel_tasks_core import NovelTasksError

NAMES = (
    *("pipeline", "processing", "quality", "engine", "submit", "bulk", "latency"),
    *("growth", "snapshot", "wal", "memory", "upload", "api", "fanout", "sockets", "page", "peers"),
)
"""The benchmarks, in the order in which they run; each is a module of the package."""

ASKED_FOR = frozenset({"peers"})
"""Run only when they are named: they install packages."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run benchmarks as asked.

    Return 0; 1 when a gate or a comparison failed, 2 when the run could not go on, 130 when it was
    interrupted. A missed target is reported and is no failure.
    """
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    options = parse(arguments)
    if options.list:
        print("\n".join(_described(load(name)) for name in NAMES))
        return 0
    try:
        earlier = {} if options.compare is None else read_earlier(options.compare)
        baseline = gate.read_baseline(gate.BASELINE)
        reports = run_all(options.names, quick=options.quick)
    except (BenchmarkError, ResultsError, NovelTasksError) as exc:
        print(f"benchmarks: {exc}", file=sys.stderr)
        return 2
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("benchmarks: interrupted", file=sys.stderr)
        return 130
    return conclude(options, reports, baseline=baseline, earlier=earlier)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line; what is wrong with it ends the program with exit code 2."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure throughput as ratios against bounds of the same run, and count what work costs.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(NAMES)} (default: all but peers)")
    parser.add_argument("--quick", action="store_true", help="smaller runs, whose counts are the same")
    parser.add_argument("--list", action="store_true", help="say what each benchmark measures")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the results")
    parser.add_argument("--markdown", type=Path, metavar="PATH", help="append a table, as for the summary of a job")
    judged = parser.add_mutually_exclusive_group()
    judged.add_argument("--gate", action="store_true", help="fail when a count exceeds its baseline by over 3 %%")
    judged.add_argument("--save-baseline", action="store_true", help="make the counts of this run the baseline")
    parser.add_argument("--compare", type=Path, metavar="BASE", help="compare with an earlier --json file")
    parser.add_argument(
        "--fail-under", type=float, metavar="X", help="fail when a ratio is less than X times that of --compare"
    )
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.names if name not in NAMES]:
        parser.error(f"there is no benchmark {unknown[0]!r}: choose from {', '.join(NAMES)}")
    if options.fail_under is not None and options.compare is None:
        parser.error("--fail-under needs --compare")
    options.names = options.names or [name for name in NAMES if name not in ASKED_FOR]
    return options


def load(name: str) -> Benchmark:
    """Import the benchmark `name`."""
    benchmark: Benchmark = import_module(f"benchmarks.{name}").BENCHMARK
    return benchmark


def _described(benchmark: Benchmark) -> str:
    text = (sys.modules[benchmark.measure.__module__].__doc__ or "").strip()
    return f"{benchmark.name}\n" + "\n".join(f"    {line}".rstrip() for line in text.splitlines()) + "\n"


def run_all(names: Sequence[str], *, quick: bool) -> list[Report]:
    """Run the named benchmarks, one after the other, on a server that is stopped at the end.

    Raises: BenchmarkError, and what the engine raises.
    """
    with tempfile.TemporaryDirectory(prefix="nt-bench-") as made, runner() as loop:
        folder = Path(made)
        folder.chmod(0o755)  # as root, the server runs as another user and must pass through
        return loop.run(_run_all([load(name) for name in names], folder, quick))


async def _run_all(benchmarks: Sequence[Benchmark], folder: Path, quick: bool) -> list[Report]:
    main_task = asyncio.current_task()
    assert main_task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, main_task.cancel)
    async with server(folder) as url:
        machine = describe(folder, postgresql=await server_version(url))
        run = Run(quick=quick, server_url=url, folder=folder)
        return [await _run_one(benchmark, run, machine) for benchmark in benchmarks]


async def _run_one(benchmark: Benchmark, run: Run, machine: Facts) -> Report:
    print(f"{benchmark.name} ...", file=sys.stderr, flush=True)
    facts = {**machine, "load_before": round(os.getloadavg()[0], 2)}
    began = time.monotonic()
    try:
        found = await benchmark.measure(run)
    except BenchmarkSkippedError as exc:
        return Report(benchmark=benchmark.name, machine=facts, skipped=str(exc))
    print(f"{benchmark.name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return Report(
        benchmark=benchmark.name,
        machine=facts,
        results=tuple(one for one in found if isinstance(one, Result)),
        tables=tuple(one for one in found if isinstance(one, Table)),
    )


def conclude(
    options: argparse.Namespace,
    reports: Sequence[Report],
    *,
    baseline: Mapping[str, gate.Pinned],
    earlier: Mapping[str, Earlier],
) -> int:
    """Print, write and judge what was found; return the exit code."""
    reports = [gate.with_baseline(report, baseline) for report in reports]
    faults = gate.gate_faults(reports, baseline) if options.gate else []
    if options.fail_under is not None:
        faults += gate.comparison_faults(reports, earlier, fail_under=options.fail_under)
    print(tables.as_text(reports, earlier))
    if options.json is not None:
        options.json.write_text(to_json(reports), encoding="utf-8")
    if options.markdown is not None:
        with options.markdown.open("a", encoding="utf-8") as summary:
            summary.write(tables.as_markdown(reports, earlier, faults))
    if options.save_baseline:
        gate.write_baseline(gate.BASELINE, reports)
    for note in gate.gate_notes(reports, baseline) if options.gate else []:
        print(f"note: {note}", file=sys.stderr)
    for fault in faults:
        print(f"FAILED: {fault}", file=sys.stderr)
    return 1 if faults else 0
