// Serves one GGUF model over an OpenAI-style API with llama.cpp. It runs on the GPU host, sent there as a bundle
// with its dependencies, and listens on loopback unless told otherwise: the way in is the SSH connection.
//
//   node server.mjs --model FILE_OR_FOLDER --id MODEL_ID --port 8000 --context 4096 [--gpu auto|false] [--kv-type Q8_0]

import { createHash, timingSafeEqual } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { getLlama, LlamaCompletion, LlamaLogLevel } from "node-llama-cpp";

const maxBodyBytes = 1 << 20;

const { values: flags } = parseArgs({
  options: {
    model: { type: "string" },
    id: { type: "string", default: "model" },
    port: { type: "string", default: "8000" },
    host: { type: "string", default: "127.0.0.1" },
    context: { type: "string", default: "4096" },
    // A file, so that the token is in no process list.
    "token-file": { type: "string" },
    "tls-certificate": { type: "string" },
    "tls-key": { type: "string" },
    gpu: { type: "string", default: "auto" },
    // How the cache is held, as llama.cpp names it: F16, Q8_0, Q4_0.
    "kv-type": { type: "string", default: "F16" },
    // Of requests that say none.
    temperature: { type: "string", default: "0" },
    "top-p": { type: "string", default: "1" },
  },
});

class BadRequest extends Error {}

function fail(message) {
  process.stderr.write(`llama-server: ${message}\n`);
  process.exit(1);
}

/** The file to load: the one given, or the first shard of the one model in a folder. */
function modelFile(path) {
  if (path === undefined) fail("--model is missing: give a .gguf file or a folder that holds one");
  if (!statSync(path).isDirectory()) return path;
  const files = readdirSync(path).filter((name) => name.endsWith(".gguf"));
  const firsts = files.filter(
    (name) => !/-\d{5}-of-\d{5}\.gguf$/.test(name) || /-00001-of-/.test(name),
  );
  if (firsts.length !== 1)
    fail(`${path} holds ${firsts.length} GGUF models, and exactly one can be served`);
  return join(path, firsts[0]);
}

async function load() {
  const llama = await getLlama({
    gpu: flags.gpu === "false" ? false : "auto",
    build: "never",
    progressLogs: false,
    logLevel: LlamaLogLevel.error,
  });
  const model = await llama.loadModel({ modelPath: modelFile(flags.model) });
  const contextSize = Math.min(Number(flags.context), model.trainContextSize);
  // More threads than free cores make llama.cpp a hundred times slower: they spin while they wait for each other.
  const threads = Math.max(1, availableParallelism() - 1);
  const type = flags["kv-type"];
  const held = { experimentalKvCacheKeyType: type, experimentalKvCacheValueType: type };
  // llama.cpp reads a cache of fewer bits through flash attention only.
  const cache = type === "F16" ? {} : { ...held, flashAttention: true };
  const context = await model.createContext({ contextSize, sequences: 1, threads, ...cache });
  const completion = new LlamaCompletion({ contextSequence: context.getSequence() });
  return { model, completion };
}

function readBody(request) {
  return new Promise((resolve, reject) => {
    const chunks = [];
    let size = 0;
    request.on("data", (chunk) => {
      size += chunk.length;
      if (size > maxBodyBytes)
        reject(new BadRequest(`the body is larger than ${maxBodyBytes} bytes`));
      else chunks.push(chunk);
    });
    request.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
    request.on("error", reject);
  });
}

function requireNumber(body, name, fallback, low, high) {
  const value = body[name] ?? fallback;
  if (typeof value !== "number" || !(value >= low && value <= high)) {
    throw new BadRequest(
      `${name} must be a number from ${low} to ${high}, got ${JSON.stringify(value)}`,
    );
  }
  return value;
}

function parseRequest(text) {
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    throw new BadRequest("the body is not JSON");
  }
  if (typeof body?.prompt !== "string" || body.prompt === "") {
    throw new BadRequest("prompt must be a text that is not empty");
  }
  return {
    prompt: body.prompt,
    maxTokens: requireNumber(body, "max_tokens", 16, 1, 4096),
    temperature: requireNumber(body, "temperature", Number(flags.temperature), 0, 2),
    topP: requireNumber(body, "top_p", Number(flags["top-p"]), 0, 1),
    seed: requireNumber(body, "seed", 0, 0, 2 ** 31),
    stream: body.stream === true,
    streamUsage: body.stream_options?.include_usage === true,
  };
}

function answer(response, status, body) {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(`${JSON.stringify(body)}\n`);
}

function chunk(text, finishReason) {
  return {
    id: `cmpl-${process.pid}-${process.hrtime.bigint()}`,
    object: "text_completion",
    created: Math.floor(Date.now() / 1000),
    model: flags.id,
    choices: [{ index: 0, text, logprobs: null, finish_reason: finishReason }],
  };
}

function finishReason(stopReason) {
  return stopReason === "maxTokens" ? "length" : "stop";
}

async function complete({ model, completion }, wanted, request, response) {
  const promptTokens = model.tokenize(wanted.prompt).length;
  let completionTokens = 0;
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  if (wanted.stream) response.writeHead(200, { "content-type": "text/event-stream" });
  const { response: text, metadata } = await completion.generateCompletionWithMeta(wanted.prompt, {
    maxTokens: wanted.maxTokens,
    temperature: wanted.temperature,
    topP: wanted.topP,
    seed: wanted.seed,
    signal: gone.signal,
    stopOnAbortSignal: true,
    onToken: (tokens) => (completionTokens += tokens.length),
    onTextChunk: (part) => {
      if (wanted.stream) response.write(`data: ${JSON.stringify(chunk(part, null))}\n\n`);
    },
  });
  const reason = finishReason(metadata.stopReason);
  const usage = {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  };
  if (wanted.stream) {
    const last = [
      chunk("", reason),
      ...(wanted.streamUsage ? [{ ...chunk("", null), choices: [], usage }] : []),
    ];
    response.end(
      `${last.map((part) => `data: ${JSON.stringify(part)}\n\n`).join("")}data: [DONE]\n\n`,
    );
    return;
  }
  answer(response, 200, { ...chunk(text, reason), usage });
}

let engine;
let queue = Promise.resolve();

/** One completion at a time: the context holds one sequence. */
function inTurn(work) {
  const done = queue.then(work);
  queue = done.catch(() => undefined);
  return done;
}

const digest = (text) => createHash("sha256").update(text).digest();
const tokenFile = flags["token-file"];
const token = tokenFile === undefined ? undefined : digest(readFileSync(tokenFile, "utf8").trim());

function mayAsk({ authorization = "" }) {
  return (
    token === undefined || timingSafeEqual(digest(authorization.replace(/^Bearer /, "")), token)
  );
}

async function route(request, response) {
  const path = new URL(request.url, "http://localhost").pathname;
  const call = `${request.method} ${path}`;
  if (call === "GET /health") {
    return answer(response, engine ? 200 : 503, { status: engine ? "ok" : "loading" });
  }
  if (!mayAsk(request.headers)) {
    response.setHeader("connection", "close");
    return answer(response, 401, { error: { message: "the token is missing or wrong" } });
  }
  if (engine === undefined)
    return answer(response, 503, { error: { message: "the model is loading" } });
  if (call === "GET /v1/models") {
    return answer(response, 200, { object: "list", data: [{ id: flags.id, object: "model" }] });
  }
  if (call === "POST /v1/completions") {
    const wanted = parseRequest(await readBody(request));
    return inTurn(() => complete(engine, wanted, request, response));
  }
  return answer(response, 404, { error: { message: `no such call: ${call}` } });
}

function listener(request, response) {
  route(request, response).catch((error) => {
    const status = error instanceof BadRequest ? 400 : 500;
    if (status === 500) process.stderr.write(`${error.stack}\n`);
    if (response.headersSent) response.end();
    else answer(response, status, { error: { message: error.message } });
  });
}

const certificate = flags["tls-certificate"];
const server =
  certificate === undefined
    ? createServer(listener)
    : createSecureServer(
        { cert: readFileSync(certificate), key: readFileSync(flags["tls-key"] ?? certificate) },
        listener,
      );
server.on("error", (error) =>
  fail(`cannot listen on ${flags.host}:${flags.port}: ${error.message}`),
);
server.listen(Number(flags.port), flags.host, () => {
  process.stdout.write(`listening on http://${flags.host}:${server.address().port}\n`);
  load().then(
    (loaded) => {
      engine = loaded;
      process.stdout.write("the model is loaded\n");
    },
    (error) => fail(`cannot load the model: ${error.message}`),
  );
});
for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => process.exit(0));
