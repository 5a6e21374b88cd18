"""`novel-tasks token`: make, list and revoke the tokens of a database, beside any server that uses it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID

import click

from novel_tasks_core import ApiToken, ApiTokens, EngineConfig, TokenNotFoundError
from novel_tasks_server.cli.console import ExamplesCommand, ExamplesGroup, printable, say
from novel_tasks_server.cli.settings import setting_values
from novel_tasks_server.schemas.access import Scope
from novel_tasks_server.schemas.tokens import NewTokenView, TokenView
from novel_tasks_server.schemas.views import encode

F = TypeVar("F", bound=Callable[..., object])
T = TypeVar("T")
_HEADINGS = ("ID", "OWNER", "SCOPES", "STATE", "NAME")


@click.group(
    cls=ExamplesGroup,
    examples=(
        ("novel-tasks token create --owner ann --scopes tasks:read,tasks:write", "prints the token, this once"),
        ("novel-tasks token list", "who has one; never the tokens themselves"),
        ("novel-tasks token revoke ID", "it is good for nothing from then on"),
    ),
)
def token() -> None:
    """Make, list and revoke the tokens that let people in.

    Works on the database itself. A running server takes notice within seconds.
    """


def _shared(command: F) -> F:
    command = click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")(command)
    return click.option(
        "--database-url", metavar="URL", help="The database.  [default: $DATABASE_URL or the embedded one]"
    )(command)


@token.command(
    cls=ExamplesCommand,
    examples=(
        ("novel-tasks token create --owner ann --scopes tasks:read,tasks:write", "for a person or a program"),
        ("novel-tasks token create --owner ops --scopes admin --expires-days 90", "for everything, for a while"),
    ),
)
@click.option("--owner", required=True, metavar="NAME", help="Whose tasks its bearer sees, and who owns new ones.")
@click.option("--scopes", required=True, metavar="LIST", help=f"Of {', '.join(Scope)}; divided by commas.")
@click.option("--name", default="", metavar="TEXT", help="What it is for, to tell it from others.")
@click.option("--expires-days", type=click.FloatRange(0, 36_500, min_open=True), metavar="N", help="[default: never]")
@_shared
def create(
    owner: str, scopes: str, name: str, expires_days: float | None, database_url: str | None, as_json: bool
) -> None:
    """Make a token and print it.

    It is printed this once: the database keeps only its hash.
    """
    wanted = _scopes(scopes)
    expires_at = None if expires_days is None else datetime.now(UTC) + timedelta(days=expires_days)
    secret, made = _on_database(
        database_url, lambda tokens: tokens.create(owner=owner, scopes=wanted, name=name, expires_at=expires_at)
    )
    click.echo(encode(NewTokenView.made(made, secret=secret)) if as_json else secret)
    say(f"Token {made.id} of {owner} for {', '.join(wanted)}. It is shown this once.")


@token.command("list", cls=ExamplesCommand)
@_shared
def list_tokens(database_url: str | None, as_json: bool) -> None:
    """List all tokens, those that are revoked or have expired too."""
    tokens = _on_database(database_url, lambda tokens: tokens.list())
    if as_json:
        for one in tokens:
            click.echo(encode(TokenView.of(one)))
        return
    rows = [_HEADINGS, *(_row(one) for one in tokens)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@token.command(cls=ExamplesCommand)
@click.argument("token_id", metavar="ID")
@_shared
def revoke(token_id: str, database_url: str | None, as_json: bool) -> None:
    """Revoke a token for good. Running servers refuse it within seconds."""
    try:
        wanted = UUID(token_id)
    except ValueError:
        raise TokenNotFoundError(token_id) from None
    revoked = _on_database(database_url, lambda tokens: tokens.revoke(wanted))
    if as_json:
        click.echo(encode(TokenView.of(revoked)))
    say(f"Token {revoked.id} of {revoked.owner} is revoked.")


def _on_database(database_url: str | None, work: Callable[[ApiTokens], Awaitable[T]]) -> T:
    config = EngineConfig.from_env(setting_values({"DATABASE_URL": database_url}))

    async def connected() -> T:
        async with ApiTokens.open(config) as tokens:
            return await work(tokens)

    return asyncio.run(connected())


def _scopes(text: str) -> list[Scope]:
    words = [word.strip() for word in text.split(",") if word.strip()]
    unknown = [word for word in words if word not in list(Scope)]
    if unknown or not words:
        named = f"no scope is called {unknown[0]!r}; there are" if unknown else "name at least one of"
        raise click.UsageError(f"--scopes: {named} {', '.join(Scope)}.")
    return [Scope(word) for word in words]


def _row(one: ApiToken) -> tuple[str, ...]:
    return str(one.id), printable(one.owner), ",".join(one.scopes), _state(one), printable(one.name)


def _state(one: ApiToken) -> str:
    if one.revoked_at is not None:
        return "revoked"
    if one.expires_at is None:
        return "good"
    return "expired" if one.expires_at <= datetime.now(UTC) else f"until {one.expires_at:%Y-%m-%d}"
