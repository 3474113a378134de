import assert from "node:assert/strict";
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { end } from "../support/sshd.ts";
import { needs } from "../../support/tier.ts";

const server = join(import.meta.dirname, "../../../provider/engines/python-server/main.py");
const fakes = join(import.meta.dirname, "fakes");

function hasPython(): boolean {
  try {
    execFileSync("python3", ["-c", "import sys; sys.exit(sys.version_info < (3, 9))"]);
    return true;
  } catch {
    return false;
  }
}

interface Running {
  readonly child: ChildProcess;
  readonly url: string;
  readonly output: () => string;
  readonly says: (pattern: RegExp) => Promise<void>;
  /** Its exit status, once it has one. */
  readonly ended: Promise<unknown>;
}

interface Answer {
  readonly choices: readonly {
    readonly text?: string;
    readonly message?: { readonly content: string };
    readonly finish_reason: string;
  }[];
  readonly usage: { readonly completion_tokens: number };
  readonly data: readonly { readonly b64_json: string }[];
  readonly error: { readonly message: string };
}

describe("The transformers and diffusers server, its libraries faked", () => {
  const running: ChildProcess[] = [];
  let folder: string;
  before(function () {
    needs(this, "python", hasPython(), "python3 (3.9 or newer) is not there");
    folder = mkdtempSync(join(tmpdir(), "berth-python-server-"));
    writeFileSync(join(folder, "token"), "s3cret\n");
  });
  after(async () => {
    for (const child of running) await end(child);
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(kind: string, fault = "", ...more: readonly string[]): Promise<Running> {
    const flags = ["--kind", kind, "--model", folder, "--id", "m", "--port", "0"];
    const environment = { PYTHONPATH: fakes, FAKE_FAULT: fault, PYTHONDONTWRITEBYTECODE: "1" };
    const child = spawn("python3", [server, ...flags, ...more], {
      env: { ...process.env, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    running.push(child);
    // Heard from the beginning: it may end before its first line is read here.
    const ended = once(child, "exit").then(([status]) => status as unknown);
    let output = "";
    let closed = false;
    child.once("close", () => (closed = true));
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
    const says = async (pattern: RegExp) => {
      while (!pattern.test(output)) {
        // What it said last comes after its exit, but before its outputs are closed.
        if (closed) throw new Error(`it did not say ${pattern.source}: ${output}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    await says(/listening on /);
    const [, port = ""] = /listening on \S+:(\d+)/.exec(output) ?? [];
    return { child, url: `http://127.0.0.1:${port}`, output: () => output, says, ended };
  }

  async function post(url: string, path: string, body: unknown, token?: string) {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const response = await fetch(`${url}${path}`, { method: "POST", headers, body: text });
    return { status: response.status, answer: (await response.json()) as Answer };
  }

  it("answers completions and chats, whole and in parts, in the precision that is asked for", async () => {
    const { url, says, output } = await start("text", "", "--quantise", "int8", "--context", "20");
    await says(/the model is loaded/);
    assert.match(output(), /"quantization_config": \{"load_in_8bit": true\}/);
    const { answer } = await post(url, "/v1/completions", { prompt: "a b c", max_tokens: 2 });
    assert.equal(answer.choices[0]?.text, "c b ");
    assert.equal(answer.choices[0].finish_reason, "length");
    assert.equal(answer.usage.completion_tokens, 2);
    const messages = [{ role: "user", content: "x y" }];
    const chat = await post(url, "/v1/chat/completions", { messages, temperature: 0 });
    assert.equal(chat.answer.choices[0]?.message?.content, "y x ");
    assert.equal(chat.answer.choices[0].finish_reason, "stop");
    await says(/options \{"do_sample": false/);
    const stream = await fetch(`${url}/v1/completions`, {
      method: "POST",
      body: JSON.stringify({ prompt: "a b", stream: true }),
    });
    const events = (await stream.text()).split("\n\n").filter((event) => event !== "");
    assert.equal(events.length, 4);
    assert.equal(events.at(-1), "data: [DONE]");
  });

  it("says what is wrong with a request, and goes on", async () => {
    const { url, says } = await start("text", "no-template", "--context", "20");
    await says(/the model is loaded/);
    const wrong: readonly [string, unknown, number, RegExp][] = [
      ["/v1/completions", "{", 400, /not JSON/],
      ["/v1/completions", [], 400, /no JSON object/],
      ["/v1/completions", { prompt: "" }, 400, /prompt must be/],
      ["/v1/completions", { prompt: "a", max_tokens: 0 }, 400, /max_tokens must be/],
      ["/v1/completions", { prompt: "a", temperature: "hot" }, 400, /temperature must be/],
      ["/v1/completions", { prompt: "a", max_tokens: 20 }, 400, /more than the context of 20/],
      ["/v1/chat/completions", { messages: [{ content: "a" }] }, 400, /no chat template/],
      ["/v1/images/generations", { prompt: "a" }, 404, /no such call/],
    ];
    for (const [path, body, status, message] of wrong) {
      const told = await post(url, path, body);
      assert.equal(told.status, status);
      assert.match(told.answer.error.message, message);
    }
    assert.equal((await post(url, "/v1/completions", { prompt: "a" })).status, 200);
  });

  it("answers only who has the token, and tells its health to anybody", async () => {
    const { url, says, output } = await start("text", "", "--token-file", join(folder, "token"));
    await says(/the model is loaded/);
    assert.equal((await fetch(`${url}/health`)).status, 200);
    assert.equal((await fetch(`${url}/v1/models`)).status, 401);
    assert.equal((await post(url, "/v1/completions", { prompt: "a" })).status, 401);
    assert.equal((await post(url, "/v1/completions", { prompt: "a" }, "wrong")).status, 401);
    assert.equal((await post(url, "/v1/completions", { prompt: "a" }, "s3cret")).status, 200);
    assert.doesNotMatch(output(), /s3cret/);
  });

  it("stops computing for a caller who has gone", async () => {
    const { url, says } = await start("text", "", "--context", "9000");
    await says(/the model is loaded/);
    const gone = new AbortController();
    const stream = await fetch(`${url}/v1/completions`, {
      method: "POST",
      body: JSON.stringify({ prompt: "for-ever", max_tokens: 8000, stream: true }),
      signal: gone.signal,
    });
    await stream.body?.getReader().read();
    gone.abort();
    await says(/generation ended early/);
    assert.equal((await post(url, "/v1/completions", { prompt: "a" })).status, 200);
  });

  it("answers the same for the same seed, whoever asks at the same time", async () => {
    const { url, says } = await start("text", "", "--context", "200");
    await says(/the model is loaded/);
    const prompt = Array.from({ length: 20 }, () => "dice").join(" ");
    const roll = async (seed?: number) => {
      const body = { prompt, max_tokens: 20, seed };
      return (await post(url, "/v1/completions", body)).answer.choices[0]?.text;
    };
    const rolls = await Promise.all([roll(7), roll(), roll(7), roll(8), roll(), roll(7)]);
    const [first, unseeded, again, other, , last] = rolls;
    assert.match(first ?? "", /^([1-6] ){20}$/);
    assert.deepEqual([again, last], [first, first]);
    assert.notEqual(other, first);
    assert.notEqual(unseeded, first);
  });

  it("leaves nothing under way of a caller who went before the turn came", async () => {
    const { url, says } = await start("text", "", "--context", "9000");
    await says(/the model is loaded/);
    const asked = { prompt: "for-ever", stream: true };
    const holding = await fetch(`${url}/v1/completions`, {
      method: "POST",
      body: JSON.stringify({ ...asked, max_tokens: 60 }),
    });
    const body = JSON.stringify({ ...asked, max_tokens: 8000 });
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    const head = `POST /v1/completions HTTP/1.1\r\nHost: m\r\nContent-Length: ${body.length}\r\n`;
    // Once it says that it goes on, it has read what came along with the head.
    socket.write(`${head}Expect: 100-continue\r\n\r\n${body}`);
    await once(socket, "data");
    socket.resetAndDestroy();
    assert.match(await holding.text(), /DONE/);
    await says(/generation ended early/);
    assert.equal((await post(url, "/v1/completions", { prompt: "a" })).status, 200);
  });

  it("tells a lack of memory and goes on; ends when CUDA is of no more use", async () => {
    const small = await start("text", "out-of-memory");
    await small.says(/the model is loaded/);
    const { status, answer } = await post(small.url, "/v1/completions", { prompt: "a" });
    assert.equal(status, 500);
    assert.match(answer.error.message, /out of memory/);
    assert.equal((await fetch(`${small.url}/health`)).status, 200);
    const broken = await start("text", "cuda-error");
    await broken.says(/the model is loaded/);
    await post(broken.url, "/v1/completions", { prompt: "a b c" }).catch(() => undefined);
    assert.equal(await broken.ended, 1);
  });

  it("ends with the reason when the weights cannot be loaded", async () => {
    const { ended, says } = await start("text", "broken-weights");
    await says(/cannot load the model: OSError: Error no file named model\.safetensors/);
    assert.equal(await ended, 1);
  });

  it("makes pictures", async () => {
    const { url, says } = await start("image");
    await says(/the model is loaded/);
    const asked = { prompt: "a cat", n: 2, size: "256x512", num_inference_steps: 2, seed: 7 };
    const { answer } = await post(url, "/v1/images/generations", asked);
    const [first] = answer.data.map(({ b64_json: text }) => Buffer.from(text, "base64").toString());
    assert.equal(answer.data.length, 2);
    assert.equal(first, "PNG: a cat 256x512 in 2 steps, seed 7, float32 on cpu");
    for (const change of [{ size: "1x1" }, { n: 0 }, { response_format: "url" }, { prompt: 1 }])
      assert.equal(
        (await post(url, "/v1/images/generations", { ...asked, ...change })).status,
        400,
      );
  });
});
