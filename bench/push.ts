import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { availableParallelism, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { Terminal } from "../scripts/adapters/terminal.ts";
import { openFolder } from "../scripts/push/folder-source.ts";
import { runPush } from "../scripts/push/run-push.ts";
import { S3Connection } from "../scripts/push/s3-client.ts";
import { TargetBucket } from "../scripts/push/target-bucket.ts";
import { S3Sink } from "./s3-sink.ts";

// How long a push takes beside the tools that one would use in its place, all in one run, over plain HTTP:
//   BENCH_TOOLS=<folders with aws and rclone> node --import tsx bench/push.ts [rounds] [MiB] [sink|emulated]
// "sink" takes and forgets, so that the client is what is measured; "emulated" is the S3 of the emulated AWS.
// Each tool is a process of its own, start included, and reads the same files, which are in the page cache.

const here = import.meta.filename;
const self = ["--import", "tsx", here];
const mebibyte = 1024 * 1024;
const tools = [process.env["BENCH_TOOLS"], process.env["PATH"]].filter(Boolean).join(delimiter);

interface Workload {
  readonly name: string;
  readonly files: number;
  readonly bytes: number;
}

interface Cost {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

async function startServer(kind: string) {
  // Loaded here alone: it would count as memory of the push otherwise.
  if (kind === "emulated") {
    return (await import("../offline/cloud/cloud.ts")).startCloud({ tier: "none" });
  }
  const sink = new S3Sink();
  const environment = {
    AWS_ENDPOINT_URL: await sink.start(),
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

/** Runs a command with the shell's clock. */
async function timed(words: readonly string[], environment: NodeJS.ProcessEnv): Promise<Cost> {
  const script = 'TIMEFORMAT="@%R %U %S"; time "$@" >/dev/null';
  const child = spawn("bash", ["-c", script, "bash", ...words], {
    // rclone 1.60 stops over the variable.
    env: { ...environment, PATH: tools, AWS_CA_BUNDLE: undefined },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let text = "";
  child.stderr.on("data", (piece: Buffer) => (text += piece.toString()));
  const code = await new Promise((resolve) => child.on("close", resolve));
  const [, real, user, system] = /@([\d.]+) ([\d.]+) ([\d.]+)/.exec(text) ?? [];
  if (code !== 0) throw new Error(`${words.join(" ")} ended with ${String(code)}: ${text}`);
  const inside = /inside.*/.exec(text)?.[0];
  if (inside !== undefined) console.log(`    ${inside}`);
  return { seconds: Number(real), cpuSeconds: Number(user) + Number(system) };
}

const rivals: Readonly<Record<string, (folder: string, bucket: string) => readonly string[]>> = {
  "berth push": (folder, bucket) => [process.execPath, ...self, "push", folder, bucket],
  "aws s3 sync": (folder, bucket) => ["aws", "s3", "sync", folder, `s3://${bucket}/m/`],
  "rclone copy": (folder, bucket) => [
    ...["rclone", "copy", "--transfers", "16", "--s3-upload-concurrency", "16"],
    ...["--s3-chunk-size", "16M", "--s3-env-auth", "--s3-provider", "Other"],
    ...["--s3-endpoint", process.env["AWS_ENDPOINT_URL"] ?? "", "--s3-no-check-bucket"],
    ...[folder, `:s3:${bucket}/m`],
  ],
  "server alone": (folder, bucket) => [process.execPath, ...self, "ceiling", folder, bucket],
};

function present(name: string): boolean {
  const [command = ""] = (rivals[name]?.("", "") ?? []).slice(0, 1);
  return (
    command.includes("/") || tools.split(delimiter).some((each) => existsSync(join(each, command)))
  );
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

async function fill(folder: string, { files, bytes }: Workload): Promise<void> {
  await mkdir(folder, { recursive: true });
  const block = randomBytes(Math.min(bytes, 64 * mebibyte));
  for (let index = 0; index < files; index += 1) {
    block.writeUInt32LE(index, 0);
    for (let written = 0; written < bytes; written += block.length) {
      const piece = block.subarray(0, Math.min(block.length, bytes - written));
      await writeFile(join(folder, `f${index}.dat`), piece, { flag: "a" });
    }
  }
}

async function main(rounds: number, mib: number, kind: string): Promise<void> {
  const workloads: readonly Workload[] = [
    { name: `1 x ${mib} MiB`, files: 1, bytes: mib * mebibyte },
    { name: `8 x ${mib / 8} MiB`, files: 8, bytes: (mib / 8) * mebibyte },
    { name: "2000 x 200 KiB", files: 2000, bytes: 200 * 1024 },
  ];
  const names = Object.keys(rivals).filter(present);
  console.log(
    `${availableParallelism()} cores, ${rounds} rounds, ${kind} server; ${names.join(", ")}`,
  );
  const server: ChildProcess = spawn(process.execPath, [...self, "serve", kind], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const folder = await mkdtemp(join(tmpdir(), "berth-bench-push-"));
  try {
    const line = await new Promise<string>((resolve) =>
      server.stdout?.once("data", (data: Buffer) => {
        resolve(data.toString());
      }),
    );
    Object.assign(process.env, JSON.parse(line));
    const client = new S3Client({ forcePathStyle: true });
    let buckets = 0;
    for (const workload of workloads) {
      const source = join(folder, workload.name.replaceAll(" ", "-"));
      await fill(source, workload);
      const bytes = workload.files * workload.bytes;
      process.env["BENCH_BYTES"] = String(bytes);
      const costs = new Map<string, Cost[]>(names.map((name) => [name, []]));
      for (let round = 0; round < rounds; round += 1) {
        for (const name of names) {
          const bucket = `bench-${(buckets += 1)}`;
          await client.send(new CreateBucketCommand({ Bucket: bucket }));
          costs.get(name)?.push(await timed(rivals[name]?.(source, bucket) ?? [], process.env));
        }
      }
      const ours = median(costs.get("berth push")?.map(({ seconds }) => seconds) ?? []);
      for (const [name, all] of costs) {
        const seconds = median(all.map((cost) => cost.seconds));
        const cpu = median(all.map(({ cpuSeconds }) => cpuSeconds)) / (bytes / 1e9);
        const ratio = (ours / seconds).toFixed(2);
        console.log(
          `${workload.name.padEnd(16)} ${name.padEnd(13)} ${seconds.toFixed(2)} s, ${(bytes / 1e9 / seconds).toFixed(2)} GB/s, ${cpu.toFixed(1)} CPU-s/GB, berth is ${ratio} x that`,
        );
      }
      await rm(source, { recursive: true, force: true });
    }
    client.destroy();
  } finally {
    server.stdin?.end();
    await new Promise((resolve) => server.once("close", resolve));
    await rm(folder, { recursive: true, force: true });
  }
}

const [mode = "3", a = "", b = ""] = process.argv.slice(2);
if (mode === "serve") await serve(a);
else if (mode === "push") await push(a, b);
else if (mode === "ceiling") await ceiling(a, b);
else await main(Number(mode), Number(a === "" ? 1024 : a), b === "" ? "sink" : b);
