"""Pages of other sites may not act here with the reach of whoever looks at them."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from novel_tasks_server.access.origins import require_own_page


@web.middleware
async def refuse_other_sites(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse changes and sockets that a page of an unknown origin asks for."""
    require_own_page(request)
    return await handler(request)
