"""Serve Novel Tasks over HTTP and WebSocket.

`novel_tasks_server.app.create_app` builds the application, `serve` runs it until it is told to stop,
`novel_tasks_server.config.ServerConfig` holds every setting. Nothing is imported here, so that the
command line stays quick.
"""
