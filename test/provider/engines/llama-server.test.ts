import assert from "node:assert/strict";
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort } from "../../../offline/cloud/free-port.ts";
import { llamaServerBundle } from "../../../provider/engines/llama-server/bundle.ts";
import type { LoadReport } from "../../../components/load-report/load-report.ts";
import { Terminal } from "../../../scripts/adapters/terminal.ts";
import { runBench } from "../../../scripts/commands/bench.ts";
import { benchDefaults } from "../../scripts/load/bench-defaults.ts";
import { writeDemoModel } from "../../../scripts/demo/model/write-model.ts";

const run = promisify(execFile);

interface Completion {
  readonly choices: readonly { readonly text: string; readonly finish_reason: string }[];
  readonly usage: { readonly completion_tokens: number };
}

async function untilHealthy(url: string, child: ChildProcess): Promise<void> {
  while (child.exitCode === null) {
    const answer = await fetch(`${url}/health`).catch(() => undefined);
    if (answer?.ok === true) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`the server ended with ${child.exitCode}`);
}

describe("llama-server", () => {
  let folder: string;
  let child: ChildProcess;
  let url: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "berth-llama-"));
    await writeDemoModel(join(folder, "weights"));
    const bundle = await llamaServerBundle(`linux-${process.arch}`);
    await run("tar", ["-xzf", bundle.path, "-C", folder]);
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const server = join(folder, "llama-server", "server.mjs");
    const flags = ["--model", join(folder, "weights"), "--id", "demo-llama-60m", "--gpu", "false"];
    const args = [server, ...flags, "--port", String(port), "--context", "512"];
    child = spawn(process.execPath, args, { cwd: folder, stdio: "ignore" });
    await untilHealthy(url, child);
  });
  after(async () => {
    child.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  });

  async function complete(body: object): Promise<{ status: number; body: Completion }> {
    const answer = await fetch(`${url}/v1/completions`, {
      method: "POST",
      body: JSON.stringify(body),
    });
    return { status: answer.status, body: (await answer.json()) as Completion };
  }

  it("answers a prompt, out of its bundle alone, with words and the same ones each time", async () => {
    const wanted = { prompt: "The harbour at night", max_tokens: 12 };
    const first = await complete(wanted);
    const second = await complete(wanted);
    assert.equal(first.status, 200);
    assert.equal(first.body.usage.completion_tokens, 12);
    assert.equal(first.body.choices[0]?.finish_reason, "length");
    assert.match(first.body.choices[0].text, /^[a-z ]+$/);
    assert.equal(second.body.choices[0]?.text, first.body.choices[0].text);
  });

  it("answers several at once, in turn", async () => {
    const prompts = ["one ship", "two ships", "three ships"];
    const answers = await Promise.all(prompts.map((prompt) => complete({ prompt, max_tokens: 4 })));
    assert.deepEqual(
      answers.map((answer) => answer.body.usage.completion_tokens),
      [4, 4, 4],
    );
  });

  it("streams, and ends the stream", async () => {
    const body = JSON.stringify({ prompt: "The sea", max_tokens: 4, stream: true });
    const answer = await fetch(`${url}/v1/completions`, { method: "POST", body });
    assert.match(await answer.text(), /^data: \{.*\n\ndata: \[DONE\]\n\n$/s);
  });

  it("is measured by a load test", async () => {
    const out: string[] = [];
    const sinks = { out: (text: string) => out.push(text), err: () => undefined };
    const flags = { "--url": `${url}/v1`, "--concurrency": "1,2", "--rung-seconds": "0.2" };
    const sizes = { "--prompt-tokens": "3", "--answer-tokens": "4", "--warm-up": "1" };
    const terminal = new Terminal(true, { ...sinks, interactive: false });
    const code = await runBench(benchDefaults({ ...flags, ...sizes }), terminal);
    const { rungs, target } = JSON.parse(out.join("")) as LoadReport;
    assert.equal(code, 0);
    assert.equal(target.model, "demo-llama-60m");
    assert.deepEqual(
      rungs.map(({ load, failedShare }) => [load, failedShare]),
      [
        [1, 0],
        [2, 0],
      ],
    );
    assert.ok(
      rungs.every(
        ({ countedBy, meanAnswerTokens }) => countedBy === "server" && meanAnswerTokens === 4,
      ),
    );
    for (const { firstTokenSeconds, wholeSeconds, meanPromptTokens } of rungs) {
      assert.ok(firstTokenSeconds!.p50.value < wholeSeconds!.p50.value);
      assert.ok(meanPromptTokens! >= 3);
    }
  });

  it("refuses what it cannot do, and says why", async () => {
    assert.equal((await complete({ prompt: "" })).status, 400);
    assert.equal((await complete({ prompt: "x", max_tokens: -1 })).status, 400);
    assert.equal((await fetch(`${url}/v2`)).status, 404);
  });
});
