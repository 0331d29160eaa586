"""The same with the other vendor's SDK."""

import json
import sys

import openai

client = openai.OpenAI(base_url=sys.argv[1] + "/v1", api_key="test-key", max_retries=3)
tools = [
    {
        "type": "function",
        "function": {
            "name": "read",
            "description": "Read a file",
            "parameters": {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
        },
    }
]
messages = [
    {"role": "system", "content": "You work on files."},
    {"role": "user", "content": "What is in a.txt?"},
]
asked = []
while True:
    text, reason, usage, calls = "", None, None, {}
    stream = client.chat.completions.create(
        model="scripted", tools=tools, messages=messages, stream=True, stream_options={"include_usage": True}
    )
    for chunk in stream:
        usage = chunk.usage or usage
        for choice in chunk.choices:
            text += choice.delta.content or ""
            reason = choice.finish_reason or reason
            for piece in choice.delta.tool_calls or []:
                call = calls.setdefault(
                    piece.index,
                    {"id": piece.id, "type": "function", "function": {"name": piece.function.name, "arguments": ""}},
                )
                call["function"]["arguments"] += piece.function.arguments or ""
    if not calls:
        break
    calls = list(calls.values())
    messages.append({"role": "assistant", "content": text, "tool_calls": calls})
    asked += [[call["function"]["name"], json.loads(call["function"]["arguments"])] for call in calls]
    messages += [{"role": "tool", "tool_call_id": call["id"], "content": "hello"} for call in calls]

whole = client.chat.completions.create(model="scripted", messages=[{"role": "user", "content": "At once"}])
try:
    client.chat.completions.create(model="scripted", messages=[{"role": "user", "content": "Too long"}])
    refused = None
except openai.BadRequestError as error:
    refused = [error.status_code, error.body["message"], error.request_id]
print(
    json.dumps(
        {
            "text": text,
            "asked": asked,
            "stop": reason,
            "usage": [usage.prompt_tokens, usage.prompt_tokens_details.cached_tokens, usage.completion_tokens],
            "whole": whole.choices[0].message.content,
            "refused": refused,
        }
    )
)
