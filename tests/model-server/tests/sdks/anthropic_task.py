"""A task with the vendor's own SDK: stream, call tools, send all blocks back, until it is done."""

import json
import sys

import anthropic

client = anthropic.Anthropic(base_url=sys.argv[1], api_key="test-key", max_retries=3)
tools = [
    {
        "name": "read",
        "description": "Read a file",
        "input_schema": {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
    }
]
messages = [{"role": "user", "content": "What is in a.txt?"}]
asked = []
while True:
    with client.messages.stream(
        model="scripted", max_tokens=1000, system="You work on files.", tools=tools, messages=messages
    ) as stream:
        text = "".join(stream.text_stream)
        message = stream.get_final_message()
    messages.append({"role": "assistant", "content": message.content})
    calls = [block for block in message.content if block.type == "tool_use"]
    if not calls:
        break
    asked += [[call.name, call.input] for call in calls]
    results = [{"type": "tool_result", "tool_use_id": call.id, "content": "hello"} for call in calls]
    messages.append({"role": "user", "content": results})

whole = client.messages.create(model="scripted", max_tokens=10, messages=[{"role": "user", "content": "At once"}])
try:
    client.messages.create(model="scripted", max_tokens=10, messages=[{"role": "user", "content": "Too long"}])
    refused = None
except anthropic.BadRequestError as error:
    refused = [error.status_code, error.body["error"]["message"], error.request_id]
print(
    json.dumps(
        {
            "text": text,
            "asked": asked,
            "stop": message.stop_reason,
            "usage": [message.usage.input_tokens, message.usage.cache_read_input_tokens, message.usage.output_tokens],
            "whole": whole.content[0].text,
            "refused": refused,
        }
    )
)
