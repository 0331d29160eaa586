"""A server with a tool that says what it hears, on the official Python SDK."""

from mcp.server.mcpserver import MCPServer

server = MCPServer("echo")


@server.tool()
def say(text: str) -> str:
    """Say it."""
    return text


server.run("stdio")
