// A container of an endpoint as the emulation runs it: /ping, /invocations, and the ways to misbehave that FIXTURE names.
import { readdirSync } from "node:fs";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

const mode = process.env.FIXTURE ?? "well";
console.log(`starting ${mode} with ${readdirSync(process.env.SM_MODEL_DIR).join(" ")}`);
if (mode === "crash") {
  console.error("CUDA out of memory");
  process.exit(1);
}

async function read(request) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

async function invoke(request, response) {
  const body = JSON.parse(await read(request));
  if (typeof body.prompt !== "string") {
    response.writeHead(400, { "content-type": "application/json" });
    response.end(JSON.stringify({ error: { message: "prompt is missing" } }));
    return;
  }
  if (mode === "error") {
    response.writeHead(500, { "content-type": "text/plain" }).end("CUDA error: device-side assert");
    return;
  }
  if (body.prompt === "wait") await sleep(3000);
  if (body.prompt === "eat") {
    globalThis.eaten = Buffer.alloc(1200 * 1024 ** 2, 1);
    await sleep(20_000);
  }
  const text = `${process.env.GREETING ?? "echo"}: ${body.prompt}`;
  if (body.stream !== true) {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ choices: [{ text }], usage: { completion_tokens: 3 } }));
    return;
  }
  // LMI's form is the second.
  const [type, before, after, end] =
    mode === "json-lines"
      ? ["application/jsonlines", "", "\n", ""]
      : ["text/event-stream", "data: ", "\n\n", "data: [DONE]\n\n"];
  response.writeHead(200, { "content-type": type });
  for (const word of text.split(" ")) {
    response.write(`${before}${JSON.stringify({ choices: [{ text: `${word} ` }] })}${after}`);
    await sleep(20);
  }
  response.end(end);
}

createServer((request, response) => {
  if (request.url === "/ping") response.writeHead(mode === "never" ? 503 : 200).end();
  else void invoke(request, response);
}).listen(Number(process.env.SAGEMAKER_BIND_TO_PORT), "127.0.0.1");
