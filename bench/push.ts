import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { Terminal } from "../scripts/adapters/terminal.ts";
import { openFolder } from "../scripts/push/folder-source.ts";
import { runPush } from "../scripts/push/run-push.ts";
import { S3Connection } from "../scripts/push/s3-client.ts";
import { TargetBucket } from "../scripts/push/target-bucket.ts";
import { crtAt, crtProgram, present, timed, tools, type Cost } from "./push-tools.ts";
import { S3Sink } from "./s3-sink.ts";
import type { Fixture } from "./sync/server.ts";
import { fixtureOf, median } from "./sync/workbench.ts";

// How long a push takes beside the tools that one would use in its place, all in one run, over plain HTTP; at the end comes the
// table of docs/push.md:
//   node --import tsx bench/push.ts [rounds] [sink|emulated] 1x4GiB 30x256MiB 5000x200KiB [--only "berth push,s5cmd"]
// The tools are the ones of bench/sync, by BERTH_BENCH_S5CMD, BERTH_BENCH_AWS and BERTH_BENCH_AWS_CRT. "sink" takes and forgets, so
// that the client is what is measured; "emulated" is the S3 of the emulated AWS.
// Each tool is a process of its own, start included, and reads the same files, which are in the page cache.

const here = import.meta.filename;
const self = ["--import", "tsx", here];
const mebibyte = 1024 * 1024;

async function startServer(kind: string) {
  // Loaded here alone: it would count as memory of the push otherwise.
  if (kind === "emulated") {
    return (await import("../offline/cloud/cloud.ts")).startCloud({ tier: "none" });
  }
  const sink = new S3Sink();
  const environment = {
    AWS_ENDPOINT_URL: await sink.start(crtProgram === undefined ? undefined : crtAt),
    AWS_ACCESS_KEY_ID: "AKIABENCH",
    AWS_SECRET_ACCESS_KEY: "bench",
    AWS_REGION: "us-east-1",
    AWS_DEFAULT_REGION: "us-east-1",
    AWS_EC2_METADATA_DISABLED: "true",
  };
  return { environment, stop: () => sink.stop() };
}

/** The server, in a process of its own. */
async function serve(kind: string): Promise<void> {
  const server = await startServer(kind);
  process.stdout.write(`${JSON.stringify(server.environment)}\n`);
  await new Promise((resolve) => process.stdin.on("end", resolve).resume());
  await server.stop();
}

/** One push of ours, by the product's own engine. */
async function push(folder: string, bucket: string): Promise<void> {
  const connection = new S3Connection({ region: "us-east-1", lanes: 16 });
  const target = new TargetBucket(connection, { bucket, prefix: "m/" }, { requesterPays: false });
  const source = await openFolder(folder);
  const quiet = { out: () => undefined, err: () => undefined, interactive: false };
  const wishes = { allowPickle: [], include: [], exclude: [], prune: false, takeOver: false };
  const report = await runPush({
    source,
    target,
    terminal: new Terminal(false, quiet),
    signal: new AbortController().signal,
    options: { ...wishes, lanes: 16, planOnly: false },
  });
  const rss = process.resourceUsage().maxRSS / 1024;
  console.error(`  inside: ${report.seconds.toFixed(2)} s, ${rss.toFixed(0)} MiB at most`);
}

/** The server alone: parts over 16 connections by a client that signs nothing and makes no checksum. */
async function ceiling(folder: string, bucket: string): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const endpoint = process.env["AWS_ENDPOINT_URL"] ?? "";
  const body = randomBytes(16 * mebibyte);
  const parts = Math.ceil(Number(process.env["BENCH_BYTES"]) / body.length);
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let part = next++; part < parts; part = next++) {
      await new Promise<void>((resolve, reject) => {
        const headers = { authorization: "none", "content-length": body.length };
        const to = `${endpoint}/${bucket}/${folder.length}/${part}`;
        const put = request(to, { method: "PUT", agent, headers }, (answer) => {
          answer.resume().on("end", resolve);
        });
        put.on("error", reject).end(body);
      });
    }
  };
  await Promise.all(Array.from({ length: 16 }, lane));
  agent.destroy();
}

async function fill(folder: string, { count, bytes }: Fixture): Promise<void> {
  await mkdir(folder, { recursive: true });
  const block = randomBytes(Math.min(bytes, 64 * mebibyte));
  for (let index = 0; index < count; index += 1) {
    block.writeUInt32LE(index, 0);
    for (let written = 0; written < bytes; written += block.length) {
      const piece = block.subarray(0, Math.min(block.length, bytes - written));
      await writeFile(join(folder, `f${index}.dat`), piece, { flag: "a" });
    }
  }
}

interface Measured {
  readonly fixture: Fixture;
  readonly costs: ReadonlyMap<string, readonly Cost[]>;
}

const secondsOf = (costs: readonly Cost[]): number => median(costs.map(({ seconds }) => seconds));

function cpuPerGigabyte({ fixture, costs }: Measured, name: string): number {
  const gigabytes = (fixture.count * fixture.bytes) / 1e9;
  return median((costs.get(name) ?? []).map(({ cpuSeconds }) => cpuSeconds)) / gigabytes;
}

/** Ours to another's, each round its own pair: what else the machine does then touches both. */
function ratioTo(name: string, { costs }: Measured): number {
  const theirs = costs.get(name) ?? [];
  const ours = costs.get("berth push") ?? [];
  return median(ours.map(({ seconds }, round) => seconds / (theirs[round]?.seconds ?? NaN)));
}

/** All of it as the table of docs/push.md. */
function table(all: readonly Measured[]): string {
  const names = [...(all[0]?.costs.keys() ?? [])].filter((name) => name !== "server alone");
  const others = names.filter((name) => name !== "berth push");
  const ratios = others.map((name) => `ours / ${name}`);
  const head = ["files", "berth push", ...ratios, `CPU-s a GB: ${names.join(", ")}`];
  const rows = all.map((measured) => [
    measured.fixture.name.replace("x", " x "),
    `${secondsOf(measured.costs.get("berth push") ?? []).toFixed(2)} s`,
    ...others.map((name) => ratioTo(name, measured).toFixed(2)),
    names.map((name) => cpuPerGigabyte(measured, name).toFixed(1)).join(", "),
  ]);
  return [head, head.map(() => "---"), ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}

async function measure(fixture: Fixture, rounds: number, source: string): Promise<Measured> {
  await fill(source, fixture);
  process.env["BENCH_BYTES"] = String(fixture.count * fixture.bytes);
  const names = Object.keys(tools).filter(present);
  const costs = new Map<string, Cost[]>(names.map((name) => [name, []]));
  const client = new S3Client({ forcePathStyle: true });
  for (let round = 0; round < rounds; round += 1) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const bucket = `bench-${fixture.name.toLowerCase()}-${round}-${names.indexOf(name)}`;
      await client.send(new CreateBucketCommand({ Bucket: bucket }));
      costs.get(name)?.push(await timed(tools[name]?.(source, bucket) ?? [], process.env));
    }
  }
  client.destroy();
  await rm(source, { recursive: true, force: true });
  return { fixture, costs };
}

async function main(rounds: number, kind: string, fixtures: readonly Fixture[]): Promise<void> {
  console.log(`${availableParallelism()} cores, ${rounds} rounds, ${kind} server`);
  const server: ChildProcess = spawn(process.execPath, [...self, "serve", kind], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const folder = await mkdtemp(join(tmpdir(), "berth-bench-push-"));
  const all: Measured[] = [];
  try {
    const line = await new Promise<string>((resolve) =>
      server.stdout?.once("data", (data: Buffer) => {
        resolve(data.toString());
      }),
    );
    Object.assign(process.env, JSON.parse(line));
    for (const fixture of fixtures) {
      const measured = await measure(fixture, rounds, join(folder, fixture.name));
      all.push(measured);
      for (const [name, costs] of measured.costs) {
        const cpu = cpuPerGigabyte(measured, name).toFixed(1);
        const ratio = ratioTo(name, measured).toFixed(2);
        console.log(
          `${fixture.name.padEnd(13)} ${name.padEnd(13)} ${secondsOf(costs).toFixed(2)} s, ${cpu} CPU-s/GB, ours/it ${ratio}`,
        );
      }
    }
    console.log(`\n${table(all)}`);
  } finally {
    server.stdin?.end();
    await new Promise((resolve) => server.once("close", resolve));
    await rm(folder, { recursive: true, force: true });
  }
}

const [mode = "3", a = "sink", b = ""] = process.argv.slice(2);
if (mode === "serve") await serve(a);
else if (mode === "push") await push(a, b);
else if (mode === "ceiling") await ceiling(a, b);
else {
  const words = process.argv.slice(2).filter((each) => /^\d+x/.test(each));
  const usual = ["1x1GiB", "8x128MiB", "2000x200KiB"];
  await main(Number(mode), a, (words.length === 0 ? usual : words).map(fixtureOf));
}
