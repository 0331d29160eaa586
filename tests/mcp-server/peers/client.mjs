// The official TypeScript SDK as a client: prints what it sees, a JSON line each. Arguments: `stdio COMMAND...` or `http URL TOKEN`.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";

const [way, ...rest] = process.argv.slice(2);
const say = (what, value) => console.log(JSON.stringify([what, value]));
const client = new Client({ name: "the TypeScript SDK", version: "1" }, { capabilities: { elicitation: { form: {} } } });
client.setRequestHandler(ElicitRequestSchema, async (request) => {
  say("asked", request.params.message);
  return { action: "accept", content: { apply: true } };
});
const transport =
  way === "stdio"
    ? new StdioClientTransport({ command: rest[0], args: rest.slice(1), env: process.env })
    : new StreamableHTTPClientTransport(new URL(rest[0]), {
        requestInit: { headers: { Authorization: `Bearer ${rest[1]}` } },
      });
await client.connect(transport);
say("server", client.getServerVersion().name);
say("tools", (await client.listTools()).tools.map((tool) => tool.name));
say("prompts", (await client.listPrompts()).prompts.map((prompt) => prompt.name));
const { resources } = await client.listResources();
say("resources", resources.map((resource) => resource.uri));
say("read", (await client.readResource({ uri: resources[0].uri })).contents[0].text);
for (const command of ["duplicates", "organize"]) {
  const result = await client.callTool({ name: "run_command", arguments: { command, arguments: {} } });
  say(command, [result.isError, result.content.map((content) => content.text).join("\n")]);
}
await client.close();
