"""`python -m tests.acceptance.chaos`: see `--help`."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from .mutants import MUTANTS
from .program import Run, run_chaos
from .scoreboard import Scoreboard, as_json, as_markdown, as_text


def options() -> argparse.ArgumentParser:
    """Return what the command line takes."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.acceptance.chaos", description="Break everything, and judge."
    )
    parser.add_argument("--seconds", type=float, default=45, help="how long faults are made (default: 45)")
    parser.add_argument("--seed", type=int, default=1, help="decides which faults, and when (default: 1)")
    parser.add_argument("--tasks", type=int, default=1_000_000, help="submit at most so many")
    parser.add_argument("--rate", type=float, default=1_000_000, help="submit at most so many a second")
    parser.add_argument("--mutant", choices=sorted(MUTANTS), default="", help="take a guard out: must break promises")
    parser.add_argument(
        "--beside", type=float, default=0, metavar="SECONDS", help="show a run so long without the fence beside it"
    )
    parser.add_argument("--json", type=Path, metavar="PATH", help="write all figures there")
    parser.add_argument("--markdown", type=Path, metavar="PATH", help="append a table there")
    parser.add_argument("--folder", type=Path, help="keep database, files and journals in this new folder")
    return parser


async def run(arguments: argparse.Namespace) -> list[Scoreboard]:
    """Do the run, and the mutant's beside it if wanted."""
    wanted = Run(
        seconds=arguments.seconds,
        seed=arguments.seed,
        tasks=arguments.tasks,
        rate=arguments.rate,
        mutant=arguments.mutant,
    )
    boards = [await run_chaos(wanted, arguments.folder)]
    if arguments.beside:
        mutant = Run(seconds=arguments.beside, seed=arguments.seed, mutant="unfenced", run_out_seconds=10)
        boards.append(await run_chaos(mutant))
    return boards


def main() -> int:
    """Run, show, and return 1 when a promise was broken."""
    arguments = options().parse_args()
    boards = asyncio.run(run(arguments))
    sys.stdout.write(as_text(boards) + "\n")
    if arguments.json is not None:
        arguments.json.write_text(as_json(boards), encoding="utf-8")
    if arguments.markdown is not None:
        with arguments.markdown.open("a", encoding="utf-8") as file:
            file.write(as_markdown(boards))
    return 1 if boards[0].broken else 0


if __name__ == "__main__":
    sys.exit(main())
