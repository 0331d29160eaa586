"""The official Python SDK as a client: prints what it sees, a JSON line each. Arguments: `stdio COMMAND...` or `http URL TOKEN`."""

import asyncio
import json
import os
import sys

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ElicitResult


def say(what, value):
    print(json.dumps([what, value], ensure_ascii=False), flush=True)


async def asked(_context, params):
    say("asked", params.message)
    return ElicitResult(action="accept", content={"apply": True})


async def use(client):
    say("server", client.server_info.name)
    say("tools", [tool.name for tool in (await client.list_tools()).tools])
    say("prompts", [prompt.name for prompt in (await client.list_prompts()).prompts])
    resources = (await client.list_resources()).resources
    say("resources", [str(resource.uri) for resource in resources])
    say("read", (await client.read_resource(str(resources[0].uri))).contents[0].text)
    for command in ["duplicates", "organize"]:
        result = await client.call_tool("run_command", {"command": command, "arguments": {}})
        say(command, [result.is_error, "\n".join(content.text for content in result.content)])


async def main():
    if sys.argv[1] == "stdio":
        server = StdioServerParameters(command=sys.argv[2], args=sys.argv[3:], env=dict(os.environ))
        async with Client(server, elicitation_callback=asked) as client:
            await use(client)
    else:
        headers = {"Authorization": f"Bearer {sys.argv[3]}"}
        async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
            transport = streamable_http_client(sys.argv[2], http_client=http)
            async with Client(transport, elicitation_callback=asked) as client:
                await use(client)


asyncio.run(main())
