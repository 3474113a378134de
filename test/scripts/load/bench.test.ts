import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LoadReport } from "../../../components/load-report/load-report.ts";
import { loadReportSchema } from "../../../components/load-report/report-schema.ts";
import { UserError } from "../../../components/user-error.ts";
import { Terminal } from "../../../scripts/adapters/terminal.ts";
import { runBench } from "../../../scripts/commands/bench.ts";
import type { BenchOptions } from "../../../scripts/load/bench-options.ts";
import { benchDefaults, type Flags } from "./bench-defaults.ts";
import { startStreamingServer, type Behaviour, type StreamingServer } from "./streaming-server.ts";

interface Run {
  readonly code: number;
  readonly report: LoadReport;
  readonly story: string;
}

/** Short rungs, and what a test says. */
function optionsOf(flags: Flags): BenchOptions {
  return benchDefaults({ "--warm-up": "1", "--rung-seconds": "0.5", ...flags });
}

async function bench(flags: Flags): Promise<Run> {
  const out: string[] = [];
  const err: string[] = [];
  const terminal = new Terminal(true, {
    out: (text) => out.push(text),
    err: (text) => err.push(text),
    interactive: false,
  });
  const code = await runBench(optionsOf(flags), terminal, () => Promise.resolve(50_000));
  return { code, report: JSON.parse(out.join("")) as LoadReport, story: err.join("") };
}

/** The error that a run ends with. */
async function refusal(flags: Flags): Promise<UserError> {
  return bench(flags).then(
    () => assert.fail("it ran"),
    (error: unknown) => {
      assert.ok(error instanceof UserError, String(error));
      return error;
    },
  );
}

describe("berth bench against a real server", () => {
  let server: StreamingServer | undefined;
  afterEach(async () => {
    await server?.stop();
    server = undefined;
  });

  async function serve(
    behave: (number: number) => Behaviour,
    models?: readonly string[],
  ): Promise<string> {
    server = await startStreamingServer(behave, models);
    return server.baseUrl;
  }

  it("measures the delays that the server has, at each rung, and counts as the server does", async () => {
    const url = await serve(() => ({ firstTokenMs: 60, tokenMs: 20 }));
    const { code, report } = await bench({
      "--url": url,
      "--concurrency": "1,4",
      "--answer-tokens": "6",
      "--prompt-tokens": "20",
    });
    assert.equal(code, 0);
    loadReportSchema.parse(report);
    assert.deepEqual(
      report.rungs.map(({ load }) => load),
      [1, 4],
    );
    for (const rung of report.rungs) {
      const { firstTokenSeconds: first, perTokenSeconds: each, wholeSeconds: whole } = rung;
      // The server never comes early; how late it may come depends on this machine's load.
      assert.ok(first!.p50.value >= 0.059 && first!.p50.value < 3, `first ${first!.p50.value}`);
      assert.ok(each!.p50.value >= 0.015 && each!.p50.value < 1, `each ${each!.p50.value}`);
      assert.ok(whole!.p50.value >= 0.158 && whole!.p50.value < 8, `whole ${whole!.p50.value}`);
      assert.ok(each!.p50.value < first!.p50.value && first!.p50.value < whole!.p50.value);
      assert.equal(rung.countedBy, "server");
      assert.equal(rung.meanAnswerTokens, 6);
      assert.ok(Math.abs(rung.meanPromptTokens! - 20) <= 1, `${rung.meanPromptTokens!} tokens`);
      // What the latencies allow at most: so many clients, each of 6 tokens in 160 ms.
      const most = (rung.load * 6) / 0.158;
      assert.ok(rung.answerTokensPerSecond <= most * 1.1, `${rung.answerTokensPerSecond} tokens/s`);
      // All tokens but those that came after the window.
      const counted = rung.answerTokensPerSecond * rung.windowSeconds;
      assert.ok(counted > (rung.requests - rung.load) * 6 - 1e-6, `${counted} tokens`);
      assert.ok(counted <= rung.requests * 6 + 1e-6, `${counted} tokens`);
    }
    assert.equal(server!.most, 4);
    const [one, four] = report.rungs;
    assert.ok(four!.answerTokensPerSecond > one!.answerTokensPerSecond);
  });

  it("prices a million tokens by the hour's price and the measured rate", async () => {
    const url = await serve(() => ({ tokenMs: 5 }));
    const { report } = await bench({
      "--url": url,
      "--concurrency": "2",
      "--hourly-usd": "3.6",
      "--answer-tokens": "10",
    });
    const [rung] = report.rungs;
    assert.ok(
      Math.abs(rung!.perMillionAnswerTokensUsd! * rung!.answerTokensPerSecond - 1000) < 1e-6,
    );
    const both = rung!.answerTokensPerSecond + rung!.promptTokensPerSecond!;
    assert.ok(Math.abs(rung!.perMillionTokensUsd! * both - 1000) < 1e-6);
  });

  it("counts parts, and says so, where the usage is missing", async () => {
    const url = await serve(() => ({ usage: false, tokenMs: 2 }));
    const { report, story } = await bench({
      "--url": url,
      "--concurrency": "1",
      "--answer-tokens": "7",
    });
    assert.equal(report.rungs[0]?.countedBy, "parts");
    assert.equal(report.rungs[0].meanAnswerTokens, 7);
    assert.equal(report.rungs[0].meanPromptTokens, undefined);
    assert.match(story, /counted by the parts/);
  });

  it("reads 10,000 tokens whole, and counts those that came in the window", async () => {
    const url = await serve(() => ({ tokens: 10_000 }));
    const { report } = await bench({
      "--url": url,
      "--concurrency": "1",
      "--max-requests": "2",
      "--rung-seconds": "12",
      "--answer-tokens": "10000",
    });
    assert.equal(report.ended, "max-requests");
    assert.equal(report.rungs[0]?.meanAnswerTokens, 10_000);
    assert.equal(report.rungs[0].requests, 1);
  });

  it("tells failures apart by their kind, and goes on where few are allowed to fail", async () => {
    const faults: readonly Behaviour[] = [
      {},
      { instead: (response) => response.writeHead(500).end("out of memory") },
      { instead: (response) => response.writeHead(400).end("too long") },
      { instead: (response) => response.writeHead(307, { location: "http://192.0.2.1/" }).end() },
      { after: { tokens: 2, then: "reset" } },
      { after: { tokens: 2, then: "end" } },
      { after: { tokens: 2, then: "stall" } },
      { after: { tokens: 2, then: { write: "data: {nonsense\n\n" } } },
      { after: { tokens: 2, then: { write: 'data: {"error": {"message": "cancelled"}}\n\n' } } },
      { instead: (response) => response.end("<html>a proxy's page</html>\n") },
      { tokens: 0 },
      { instead: (_response, request) => request.socket.destroy() },
    ];
    const url = await serve((number) => faults[number] ?? {});
    const more = { "--max-failed": "100", "--request-timeout": "4", "--answer-tokens": "4" };
    const { report } = await bench({ "--url": url, "--concurrency": "12", ...more });
    assert.deepEqual(report.rungs[0]?.failures, {
      unreachable: 1,
      "client-error": 1,
      "server-error": 2,
      redirect: 1,
      cut: 2,
      malformed: 2,
      empty: 1,
      timeout: 1,
    });
    assert.ok(report.complaints.some((text) => text.includes("out of memory")));
    assert.equal(report.knee, undefined);
  });

  it("waits as long as Retry-After says before it asks again", async () => {
    const times: number[] = [];
    const refuse: Behaviour = {
      instead: (response) => response.writeHead(429, { "retry-after": "0.25" }).end(),
    };
    const url = await serve((number) => {
      times.push(performance.now());
      return number === 1 ? refuse : { tokenMs: 1 };
    });
    const { report } = await bench({ "--url": url, "--concurrency": "1", "--answer-tokens": "3" });
    assert.equal(report.rungs[0]?.failures.throttled, 1);
    assert.ok(times[2]! - times[1]! >= 249, `${times[2]! - times[1]!} ms`);
  });

  it("ends when too many fail, and sends no more", async () => {
    const fail: Behaviour = { instead: (response) => response.writeHead(503).end() };
    const url = await serve((number) => (number === 0 ? {} : fail));
    const { code, report, story } = await bench({
      "--url": url,
      "--concurrency": "16,32",
      "--answer-tokens": "3",
    });
    assert.equal(code, 1);
    assert.equal(report.ended, "failures");
    assert.equal(report.rungs.length, 1);
    assert.match(story, /too many requests failed/);
    assert.ok(server!.asked.length <= 1 + 16, `${server!.asked.length} requests`);
  });

  it("counts latency from when a request was due, so that a stall shows in all that wait", async () => {
    // The server shares this thread: while it is stuck, requests that are due cannot even be sent.
    const url = await serve((number) => {
      const endMs = performance.now() + 300;
      while (number === 50 && performance.now() < endMs);
      return {};
    });
    const open = { "--rate": "100", "--arrivals": "even", "--answer-tokens": "1" };
    const { report } = await bench({ "--url": url, ...open, "--rung-seconds": "1" });
    const [rung] = report.rungs;
    assert.ok(rung!.requests >= 60 && rung!.requests <= 101, `${rung!.requests} requests`);
    const { p50, p99 } = rung!.firstTokenSeconds!;
    assert.ok(p99.value > 0.25, `p99 ${p99.value}`);
    assert.ok(p50.value < p99.value - 0.1, `p50 ${p50.value}`);
    assert.equal(report.settings.loop, "open");
  });

  it("says that an open loop outran the server", async () => {
    const url = await serve(() => ({ firstTokenMs: 700 }));
    const { story, report } = await bench({ "--url": url, "--rate": "20", "--answer-tokens": "1" });
    assert.match(story, /at 20 a second more came in than was answered/);
    assert.ok(report.rungs[0]!.underWay >= 5);
  });

  it("keeps to the seconds that it may take, and reports what came until then", async () => {
    const url = await serve(() => ({ tokenMs: 50 }));
    const more = { "--max-seconds": "1", "--rung-seconds": "5", "--answer-tokens": "100" };
    const { code, report } = await bench({
      "--url": url,
      "--concurrency": "2",
      "--warm-up": "1",
      ...more,
    });
    // The warm-up alone takes 5 s, so the time is over before anything could be measured.
    assert.equal(code, 0);
    assert.equal(report.ended, "max-seconds");
    const quick = await bench({
      "--url": url,
      "--concurrency": "2",
      "--max-seconds": "3",
      "--rung-seconds": "60",
      "--answer-tokens": "10",
    });
    assert.equal(quick.report.ended, "max-seconds");
    assert.ok(quick.report.rungs[0]!.answerTokensPerSecond > 0);
  });

  it("asks chats as such, with the token of the environment and the only model there is", async () => {
    process.env["BERTH_BENCH_TOKEN"] = "sesame";
    try {
      const url = await serve(() => ({}));
      await bench({
        "--url": url,
        "--concurrency": "1",
        "--max-requests": "2",
        "--form": "chat",
        "--ignore-eos": "true",
      });
      const [body] = server!.asked;
      assert.equal(body?.messages?.length, 1);
      assert.equal(body.model, "tiny");
      assert.equal(body.ignore_eos, true);
      assert.equal(server!.headers[0]?.authorization, "Bearer sesame");
    } finally {
      delete process.env["BERTH_BENCH_TOKEN"];
    }
  });

  it("refuses to guess a model, an address or a way around encryption", async () => {
    const url = await serve(() => ({}), ["one", "two"]);
    const said = async (where: string) => (await refusal({ "--url": where })).message;
    assert.deepEqual((await refusal({ "--url": url })).problems, ["one", "two"]);
    assert.match(await said("ftp://x/v1"), /no http or https address/);
    assert.match(await said("http://a:b@127.0.0.1/v1"), /without a password/);
    process.env["BERTH_BENCH_TOKEN"] = "sesame";
    try {
      assert.match(await said("http://192.0.2.1/v1"), /unencrypted/);
    } finally {
      delete process.env["BERTH_BENCH_TOKEN"];
    }
    assert.equal(server!.asked.length, 0);
  });

  it("measures nothing when the first requests fail, and gives the server's words", async () => {
    const url = await serve(() => ({
      instead: (response) => response.writeHead(404).end('{"message": "no model tiny"}'),
    }));
    const { problems } = await refusal({ "--url": url });
    assert.match(problems[0] ?? "", /client-error: status 404: .*no model tiny/);
    assert.equal(server!.asked.length, 1);
  });

  it("names every flag that is wrong at once", async () => {
    const { problems } = await refusal({
      "--concurrency": "4,2,x",
      "--max-failed": "200",
      "--ttft-limit": "fast",
      "--answer-tokens": "9-3",
    });
    assert.equal(problems.length, 4);
  });

  it("takes prompts of a file, and names its wrong lines", async () => {
    const folder = await mkdtemp(join(tmpdir(), "berth-bench-"));
    const path = join(folder, "prompts.jsonl");
    const page = join(folder, "page.html");
    try {
      await writeFile(path, 'Why?\n{"prompt": "Say it.", "max_tokens": 2}\n');
      const url = await serve(() => ({}));
      const flags = {
        "--url": url,
        "--prompts": path,
        "--answer-tokens": "5",
        "--max-requests": "30",
      };
      await bench({ ...flags, "--concurrency": "1", "--html": page });
      const asked = server!.asked.map((body) => `${body.prompt ?? ""} ${body.max_tokens}`);
      assert.deepEqual([...new Set(asked)].toSorted(), ["Say it. 2", "Why? 5"]);
      assert.match(await readFile(page, "utf8"), /tiny under load/);
      await writeFile(path, 'Why?\n{"prompt": 3}\n{"prompt": "x", "max_tokens": 0}\n{broken\n');
      const { problems } = await refusal(flags);
      assert.deepEqual(
        problems.map((text) => text.split(":")[0]),
        ["line 2", "line 3", "line 4"],
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
