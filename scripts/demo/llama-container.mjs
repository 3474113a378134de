// Stands for AWS's llama.cpp serving image in the emulated cloud: SageMaker's contract, GET /ping and POST /invocations,
// before the llama.cpp server of this repository. As in the real image, invocations are chats; the model has no template,
// so a chat is the texts of its messages.
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { freePort } from "../../offline/cloud/free-port.ts";

const server = fileURLToPath(
  new URL("../../provider/engines/llama-server/server.mjs", import.meta.url),
);
const { SM_MODEL_DIR = "/opt/ml/model", SAGEMAKER_BIND_TO_PORT = "8080" } = process.env;
const { SM_LLAMA_CPP_ALIAS = "model", SM_LLAMA_CPP_CTX_SIZE = "4096" } = process.env;

const port = await freePort();
const flags = ["--model", SM_MODEL_DIR, "--id", SM_LLAMA_CPP_ALIAS, "--port", String(port)];
const engine = spawn(
  process.execPath,
  [server, ...flags, "--context", SM_LLAMA_CPP_CTX_SIZE, "--gpu", "false"],
  { stdio: ["ignore", "inherit", "inherit"] },
);
engine.on("exit", (code) => process.exit(code ?? 1));

async function read(request) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

function refuse(response, message) {
  response.writeHead(400, { "content-type": "application/json" });
  response.end(JSON.stringify({ error: { message } }));
}

function asChat(completion, streaming) {
  const choices = completion.choices.map(({ index, text, finish_reason }) => ({
    index,
    finish_reason,
    [streaming ? "delta" : "message"]: { role: "assistant", content: text },
  }));
  return {
    ...completion,
    object: streaming ? "chat.completion.chunk" : "chat.completion",
    choices,
  };
}

async function* chatEvents(body) {
  let rest = "";
  for await (const piece of body.pipeThrough(new TextDecoderStream())) {
    const events = (rest + piece).split("\n\n");
    rest = events.pop();
    for (const event of events) {
      const data = event.replace(/^data: /, "");
      yield data === "[DONE]" ? event : `data: ${JSON.stringify(asChat(JSON.parse(data), true))}`;
    }
  }
}

async function invoke(request, response) {
  const { messages, ...rest } = JSON.parse(await read(request));
  if (!Array.isArray(messages)) return refuse(response, "messages must be a list");
  const prompt = messages.map(({ content }) => content).join("\n");
  const answer = await fetch(`http://127.0.0.1:${port}/v1/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ...rest, prompt }),
  });
  if (!answer.ok) {
    response.writeHead(answer.status, { "content-type": "application/json" });
    return response.end(await answer.text());
  }
  const type = answer.headers.get("content-type");
  response.writeHead(200, { "content-type": type });
  if (rest.stream !== true) return response.end(JSON.stringify(asChat(await answer.json(), false)));
  for await (const event of chatEvents(answer.body)) response.write(`${event}\n\n`);
  return response.end();
}

async function ping(response) {
  const health = await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined);
  response.writeHead(health?.ok ? 200 : 503).end();
}

createServer((request, response) => {
  const work = request.url === "/ping" ? ping(response) : invoke(request, response);
  work.catch((error) => {
    if (response.headersSent) response.destroy();
    else refuse(response, error.message);
  });
}).listen(Number(SAGEMAKER_BIND_TO_PORT), "127.0.0.1");
