"""`novel-tasks process`: process files here and now, with no server and no database."""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

import click
from attrs import frozen

from novel_tasks_core import (
    DecodingError,
    EngineConfig,
    NovelTasksError,
    ProcessedFile,
    Processors,
    TaskProcessingError,
    process_file,
)
from novel_tasks_server.cli.console import ExamplesCommand, ExitCode, say
from novel_tasks_server.cli.display import Display, Row
from novel_tasks_server.cli.inputs import Input, files_argument, output_folders, read_inputs
from novel_tasks_server.cli.options import json_flag, parse_options, processor_options
from novel_tasks_server.cli.rendering import chapter_facts, headline, render_result
from novel_tasks_server.cli.settings import setting_values


@frozen(kw_only=True)
class _Plan:
    """What is done to every file."""

    processors: Processors
    processor: str
    options: dict[str, Any]
    encoding: str | None
    config: EngineConfig
    as_json: bool


@frozen(kw_only=True)
class _Report:
    """What came of one file: its line of data, and the exit code that it asks for."""

    data: str | None
    code: ExitCode = ExitCode.OK


@click.command(
    cls=ExamplesCommand,
    examples=(
        ("novel-tasks process novel.txt -o report", "analyze it; report/report.html is the result"),
        ("novel-tasks process *.txt --json", "a line of JSON per file: encoding, language, chapters, result"),
        ("novel-tasks process -p split novel.txt", "only find the chapters"),
        ("curl -s URL | novel-tasks process - -o report", "read stdin"),
    ),
)
@files_argument
@processor_options
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Keep the artifacts in DIR."
)
@click.option("--encoding", metavar="CODEC", help="The files' encoding, such as gb18030, instead of finding out.")
@json_flag
@click.option("-q", "--quiet", is_flag=True, help="No progress, only results and errors.")
def process(
    files: tuple[str, ...],
    recursive: bool,
    processor: str | None,
    pairs: tuple[str, ...],
    output: Path | None,
    encoding: str | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Process files here and now: no server, no database, any size.

    FILE may be - for stdin. With several files and -o, each gets a folder of its own in DIR; on a
    terminal each is then told in one line, elsewhere in full. A file that fails does not stop the
    others; the exit code is then 3, or 1 if it could not be read.
    """
    plan = _plan(processor=processor, pairs=pairs, encoding=encoding, as_json=as_json)
    with tempfile.TemporaryDirectory(prefix="novel-tasks-") as scratch:
        inputs = read_inputs(files, Path(scratch), recursive=recursive)
        with Display(quiet=quiet) as display:
            code = asyncio.run(_process_all(inputs, output_folders(inputs, output), plan=plan, display=display))
        if output is not None and len(inputs) > 1 and display.says_data:
            say(f"What was made is in {output}, in a folder for each file.")
        return code


def _plan(*, processor: str | None, pairs: tuple[str, ...], encoding: str | None, as_json: bool) -> _Plan:
    """Check everything that is the same for every file, before the first is touched."""
    values = setting_values({"DEFAULT_PROCESSOR": processor})
    processors = Processors.builtin()
    processors.load_entry_points()
    name = values.get("DEFAULT_PROCESSOR") or "analyze"
    options = parse_options(pairs, processors.options_schema(name))
    if encoding is not None:
        options["encoding"] = encoding
    return _Plan(
        processors=processors,
        processor=name,
        options=processors.validate(name, options),
        encoding=encoding,
        config=EngineConfig.from_env(values),
        as_json=as_json,
    )


async def _process_all(inputs: list[Input], folders: list[Path | None], *, plan: _Plan, display: Display) -> int:
    """Process the files, as many at once as there are slots; print each one's data in the order given."""
    gate = asyncio.Semaphore(plan.config.slots)
    worst = ExitCode.OK
    in_brief = len(inputs) > 1 and display.says_data and not plan.as_json
    rows = [display.begin(item.name) for item in inputs]
    async with asyncio.TaskGroup() as group:
        running = [
            group.create_task(_process_gated(gate, item, folder, plan=plan, row=row))
            for item, folder, row in zip(inputs, folders, rows, strict=True)
        ]
        for each in running:
            report = await each
            worst = max(worst, report.code)
            if report.data is not None and not in_brief:
                display.data(report.data)
    return worst


async def _process_gated(
    gate: asyncio.Semaphore, item: Input, folder: Path | None, *, plan: _Plan, row: Row
) -> _Report:
    async with gate:
        row.start()
        try:
            return await _process_one(item, folder, plan=plan, row=row)
        except TaskProcessingError as exc:
            return _failed(item, exc.type, exc.detail, code=ExitCode.TASK_FAILED, plan=plan, row=row)
        except DecodingError as exc:
            return _failed(item, "DecodingError", exc.reason, code=ExitCode.TASK_FAILED, plan=plan, row=row)
        except OSError as exc:
            return _failed(
                item, type(exc).__name__, exc.strerror or str(exc), code=ExitCode.FAILURE, plan=plan, row=row
            )
        except NovelTasksError as exc:
            return _failed(item, type(exc).__name__, str(exc), code=ExitCode.FAILURE, plan=plan, row=row)


def _failed(item: Input, kind: str, reason: str, *, code: ExitCode, plan: _Plan, row: Row) -> _Report:
    row.fail(reason)
    document = {"file": item.name, "error": {"type": kind, "message": reason}}
    return _Report(data=json.dumps(document, ensure_ascii=False) if plan.as_json else None, code=code)


async def _process_one(item: Input, folder: Path | None, *, plan: _Plan, row: Row) -> _Report:
    """Process one file and return what stdout shows of it."""
    if item.problem is not None:
        raise item.problem
    processed = await process_file(
        item.path,
        processor=plan.processor,
        options=plan.options,
        output_dir=folder,
        processors=plan.processors,
        on_progress=row.update,
        config=plan.config,
    )
    data = await _json(item, processed, plan=plan) if plan.as_json else _table(item, processed)
    row.finish("completed", headline(processed.result))
    return _Report(data=data)


def _table(item: Input, processed: ProcessedFile) -> str:
    return render_result(item.name, processed.result, processed.artifacts)


async def _json(item: Input, processed: ProcessedFile, *, plan: _Plan) -> str:
    facts = await _chapter_facts(item, processed, plan=plan)
    artifacts = {name: str(path) for name, path in processed.artifacts.items()}
    document = {"file": item.name, **facts, "result": processed.result, "artifacts": artifacts}
    return json.dumps(document, ensure_ascii=False)


async def _chapter_facts(item: Input, processed: ProcessedFile, *, plan: _Plan) -> dict[str, Any]:
    """Return the file's encoding, language and chapters, splitting it unless that is what was just done."""
    if plan.processor == "split" and "chapters.json" in processed.artifacts:
        return await asyncio.to_thread(chapter_facts, processed.artifacts["chapters.json"])
    options = plan.options if plan.processor == "split" else {"encoding": plan.encoding} if plan.encoding else {}
    with tempfile.TemporaryDirectory(prefix="novel-tasks-") as scratch:
        split = await process_file(
            item.path,
            processor="split",
            options=options,
            output_dir=Path(scratch),
            processors=plan.processors,
            config=plan.config,
        )
        return await asyncio.to_thread(chapter_facts, split.artifacts["chapters.json"])
