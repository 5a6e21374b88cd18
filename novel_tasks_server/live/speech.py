"""What is said on a socket: one object for each protocol serves all the sockets that speak it."""

from __future__ import annotations

from importlib.metadata import version
from typing import assert_never

from aiohttp import web
from attrs import frozen

from novel_tasks_core import TaskId
from novel_tasks_server.live import protocol, protocol_v1
from novel_tasks_server.live.connection import Connection
from novel_tasks_server.live.doorkeeper import Doorkeeper
from novel_tasks_server.live.frames import CloseCode, Message, Opcode, text_frame
from novel_tasks_server.live.hub import ConnectionManager
from novel_tasks_server.live.protocol import MAX_MESSAGE_BYTES, ErrorCode, MessageRefusedError
from novel_tasks_server.live.protocol_v1 import CommandRefusedError, ListWish, StatsWish, TaskWish

MAX_SUBSCRIPTIONS = 1000
"""How many tasks one socket may follow."""

MAX_FILTERS = 16
"""How many filters one socket may follow tasks by."""

MAX_FAULTS = 16
"""How many messages that make no sense a socket may send before it is closed with 4400."""

MESSAGES_A_SECOND = 50.0
"""How many messages a socket may send in the long run before it is closed with 4429."""

MESSAGES_AT_ONCE = 2000.0
"""How many messages it may send at once: as many as it takes to follow all that it may, and come back."""

_PONG = text_frame(protocol.PONG)


class _Speech:
    """What both protocols share."""

    def __init__(self, hub: ConnectionManager, doorkeeper: Doorkeeper) -> None:
        self._hub = hub
        self._doorkeeper = doorkeeper

    def opened(self, connection: Connection) -> None:
        """Take the socket in, unless there are too many of its token."""
        self._hub.connect(connection)
        if not self._doorkeeper.has_room(connection.token):
            connection.close(CloseCode.TOO_MANY, "too many sockets of this token")
        self._doorkeeper.admit(connection, connection.token)

    def relieved(self, connection: Connection) -> None:
        """Go on with what waited."""
        self._hub.relieve(connection)

    def closed(self, connection: Connection) -> None:
        """Forget the socket."""
        self._hub.disconnect(connection)
        self._doorkeeper.leave(connection, connection.token)

    def _require_room(self, connection: Connection, task_id: TaskId) -> None:
        following = self._hub.following(connection)
        if len(following) >= MAX_SUBSCRIPTIONS and task_id not in following:
            raise MessageRefusedError(ErrorCode.TOO_MANY, f"one socket may follow {MAX_SUBSCRIPTIONS} tasks")


class OlderSpeech(_Speech):
    """The protocol of clients that name none."""

    def heard(self, connection: Connection, message: Message) -> None:
        """Do as the message says, or answer why not."""
        try:
            if message.opcode is Opcode.BINARY:
                raise MessageRefusedError(ErrorCode.BAD_MESSAGE, "send text, not bytes")
            self._obey(connection, protocol.parse_command(message.text))
        except MessageRefusedError as exc:
            connection.send(text_frame(exc.message()))

    def _obey(self, connection: Connection, command: protocol.Command) -> None:
        match command:
            case protocol.Ping():
                connection.send(_PONG)
            case protocol.Subscribe():
                self._require_room(connection, command.task_id)
                self._hub.subscribe(connection, command.task_id)
            case protocol.Unsubscribe():
                self._hub.unsubscribe(connection, command.task_id)
            case _:
                assert_never(command)


class SpeechV1(_Speech):
    """The protocol `novel-tasks.v1`."""

    def __init__(self, hub: ConnectionManager, doorkeeper: Doorkeeper) -> None:
        super().__init__(hub, doorkeeper)
        self._version = version("novel-tasks")

    def opened(self, connection: Connection) -> None:
        """Take the socket in and say what may be asked of us."""
        super().opened(connection)
        connection.allowance = MESSAGES_AT_ONCE
        limits = {
            "message_bytes": MAX_MESSAGE_BYTES,
            "subscriptions": MAX_SUBSCRIPTIONS,
            "filters": MAX_FILTERS,
            "messages_per_second": MESSAGES_A_SECOND,
            "messages_at_once": MESSAGES_AT_ONCE,
        }
        hello = protocol_v1.hello(
            connection.principal,
            version=self._version,
            limits=limits,
            heartbeat_seconds=self._hub.beats.interval,
        )
        connection.send(text_frame(hello))

    def heard(self, connection: Connection, message: Message) -> None:
        """Do as the message says, or answer why not."""
        if not self._may_speak(connection):
            connection.close(CloseCode.TOO_MANY, "too many messages")
            return
        try:
            self._obey(connection, _command(message))
        except CommandRefusedError as exc:
            self._refuse(connection, exc)

    def _may_speak(self, connection: Connection) -> bool:
        """Take one message off what the socket may still send; what it may grows with time."""
        now = self._hub.beats.now()
        saved = connection.allowance + (now - connection.spoke_at) * MESSAGES_A_SECOND
        connection.allowance, connection.spoke_at = min(MESSAGES_AT_ONCE, saved) - 1, now
        return connection.allowance >= 0

    def _refuse(self, connection: Connection, refused: CommandRefusedError) -> None:
        told = protocol_v1.error(refused.code, refused.reason, task_id=refused.task_id, ref=refused.ref)
        connection.send(text_frame(told))
        if refused.code in (ErrorCode.BAD_MESSAGE, ErrorCode.UNKNOWN_TYPE):
            connection.faults += 1
            if connection.faults >= MAX_FAULTS:
                connection.close(CloseCode.BAD_PROTOCOL, "too many messages that make no sense")

    def _obey(self, connection: Connection, command: protocol_v1.Command) -> None:
        try:
            match command:
                case protocol_v1.Ping():
                    connection.send(text_frame(protocol_v1.pong(command.ref)))
                case protocol_v1.Subscribe():
                    self._subscribe(connection, command)
                case protocol_v1.Unsubscribe():
                    self._unsubscribe(connection, command)
                case _:
                    assert_never(command)
        except MessageRefusedError as exc:
            raise CommandRefusedError(exc, command.ref) from None

    def _subscribe(self, connection: Connection, command: protocol_v1.Subscribe) -> None:
        match command.wish:
            case TaskWish() as wish:
                self._require_room(connection, wish.task_id)
                self._hub.subscribe(connection, wish.task_id, wish)
            case ListWish() as wish:
                self._follow_list(connection, wish, command.ref)
            case StatsWish() as wish:
                connection.send(text_frame(protocol_v1.acknowledgement("subscribed", wish, command.ref)))
                self._hub.stats.follow(connection)
            case _:
                assert_never(command.wish)

    def _follow_list(self, connection: Connection, wish: ListWish, ref: protocol_v1.Ref) -> None:
        sees, wishes = connection.principal.sees, self._hub.listing.wishes(connection)
        if sees is not None and wish.owner not in (None, sees):
            raise MessageRefusedError(ErrorCode.FORBIDDEN, "only admins may ask for the tasks of others")
        if len(wishes) >= MAX_FILTERS and wish not in wishes:
            raise MessageRefusedError(ErrorCode.TOO_MANY, f"one socket may follow {MAX_FILTERS} filters")
        connection.send(text_frame(protocol_v1.acknowledgement("subscribed", wish, ref)))
        self._hub.listing.follow(connection, wish)

    def _unsubscribe(self, connection: Connection, command: protocol_v1.Unsubscribe) -> None:
        match command.wish:
            case ListWish() as wish:
                self._hub.listing.unfollow(connection, wish)
            case StatsWish():
                self._hub.stats.unfollow(connection)
            case task_id:
                self._hub.unsubscribe(connection, task_id)
        told = protocol_v1.acknowledgement("unsubscribed", command.wish, command.ref)
        connection.send(text_frame(told))


def _command(message: Message) -> protocol_v1.Command:
    if message.opcode is Opcode.BINARY:
        raise CommandRefusedError(MessageRefusedError(ErrorCode.BAD_MESSAGE, "send text, not bytes"), None)
    return protocol_v1.parse_command(message.text)


@frozen
class Speeches:
    """All that may be spoken."""

    older: OlderSpeech
    v1: SpeechV1

    @classmethod
    def of(cls, hub: ConnectionManager, doorkeeper: Doorkeeper) -> Speeches:
        """Return what is spoken on the sockets that this hub knows."""
        return cls(OlderSpeech(hub, doorkeeper), SpeechV1(hub, doorkeeper))


SPEECHES = web.AppKey("speeches", Speeches)
