import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { usualPortsAt } from "./server.ts";
import { WeightsStore } from "../../provider/adapters/s3.ts";

/** How a run went. */
export interface Timing {
  readonly wallSeconds: number;
  /** User and system time of the client and its children. */
  readonly cpuSeconds: number;
  readonly maxRssMiB: number;
}

/** Where from and where to. */
export interface Task {
  readonly endpoint: string;
  readonly certificate: string;
  readonly metadata: string;
  readonly folder: string;
  /** Count the time until all bytes are on the disk, as ours always does. */
  readonly durable: boolean;
  /** What the plan of ours says besides. @default `BERTH_BENCH_PLAN`, as JSON */
  readonly tuning?: object;
}

/** A tool that fetches the prefix `m/` of the bucket `weights`. */
export interface Client {
  readonly name: string;
  readonly run: (task: Task) => Promise<Timing>;
}

const found = (program: string): boolean => spawnSync("which", [program]).status === 0;

function environment(task: Task): NodeJS.ProcessEnv {
  return {
    ...process.env,
    AWS_ACCESS_KEY_ID: "AKIATEST",
    AWS_SECRET_ACCESS_KEY: "secret",
    AWS_REGION: "us-east-1",
    AWS_DEFAULT_REGION: "us-east-1",
    AWS_CA_BUNDLE: undefined, // rclone fails with one
    SSL_CERT_FILE: task.certificate,
    NODE_EXTRA_CA_CERTS: task.certificate,
    AWS_EC2_METADATA_SERVICE_ENDPOINT: task.metadata,
    RCLONE_CONFIG_B_TYPE: "s3",
    RCLONE_CONFIG_B_PROVIDER: "Other",
    RCLONE_CONFIG_B_ENV_AUTH: "true",
    RCLONE_CONFIG_B_ENDPOINT: task.endpoint,
    RCLONE_CONFIG: "/dev/null",
  };
}

/** Runs a command under GNU time. */
function timed(
  command: readonly string[],
  { folder, durable }: Task,
  env: NodeJS.ProcessEnv,
): Promise<Timing> {
  const script = 'to=$1; shift; "$@" && sync -f "$to"';
  const words = durable ? ["sh", "-c", script, "sh", folder, ...command] : command;
  return new Promise((resolve, reject) => {
    const child = spawn("time", ["-f", "@time %e %U %S %M", ...words], {
      env,
      stdio: ["ignore", "ignore", "pipe"],
    });
    let errors = "";
    child.stderr.on("data", (data: Buffer) => (errors += data.toString()));
    child.once("error", reject);
    child.once("close", (code) => {
      const match = /@time (\S+) (\S+) (\S+) (\S+)/.exec(errors);
      if (code !== 0 || match === null) {
        reject(new Error(`${words[0] ?? ""} failed: ${errors.slice(-2000)}`));
        return;
      }
      const [, wall, user, system, rssKiB] = match.map(Number);
      resolve({
        wallSeconds: wall!,
        cpuSeconds: user! + system!,
        maxRssMiB: Math.round(rssKiB! / 1024),
      });
    });
  });
}

/** Runs a program on a plan. The time that the plan takes counts: the others list the bucket themselves. */
async function planned(task: Task, program: string): Promise<Timing> {
  const env = environment(task);
  const before = { ...process.env };
  Object.assign(process.env, env, { AWS_ENDPOINT_URL: task.endpoint });
  const began = performance.now();
  const cpu = process.cpuUsage();
  const certificate = readFileSync(task.certificate, "utf8");
  setDefaultCACertificates([...getCACertificates("default"), certificate]);
  const store = new WeightsStore("weights", "m/", "us-east-1");
  const files = await store.describe((8 << 20) + 1);
  const origin = await store.origin();
  store.close();
  process.env = before;
  const plan = { version: 2, bucket: "weights", prefix: "m/", region: "us-east-1", origin };
  mkdirSync(task.folder, { recursive: true });
  const path = `${task.folder}.plan.json`;
  const tuning = task.tuning ?? (JSON.parse(process.env["BERTH_BENCH_PLAN"] ?? "{}") as object);
  writeFileSync(path, JSON.stringify({ ...plan, ...tuning, folder: task.folder, files }));
  const { user, system } = process.cpuUsage(cpu);
  const planSeconds = (performance.now() - began) / 1000;
  const run = await timed([process.execPath, program, "sync", path], task, env);
  return {
    wallSeconds: run.wallSeconds + planSeconds,
    cpuSeconds: run.cpuSeconds + (user + system) / 1e6,
    maxRssMiB: run.maxRssMiB,
  };
}

/** Ours: what the plugin plans, and the engine on the host does. */
export function berth(task: Task): Promise<Timing> {
  return planned(task, join(import.meta.dirname, "../../provider/remote/sync/main.mjs"));
}

/** What Node itself costs: a client that checks nothing. */
const bareNode: Client = {
  name: "bare node",
  run: (task) => planned(task, join(import.meta.dirname, "bare-client.mjs")),
};

function tool(
  name: string,
  words: (task: Task) => readonly string[],
  more: (task: Task) => NodeJS.ProcessEnv = () => ({}),
): Client {
  return { name, run: (task) => timed(words(task), task, { ...environment(task), ...more(task) }) };
}

const crtEndpoint = (task: Task): string => `${new URL(task.endpoint).protocol}//${usualPortsAt}`;
const bundle = (task: Task): NodeJS.ProcessEnv => ({ AWS_CA_BUNDLE: task.certificate });

/** The clients that this machine has; ours is first. */
export function clients(): readonly Client[] {
  const s5cmd = process.env["BERTH_BENCH_S5CMD"] ?? "s5cmd";
  const aws = process.env["BERTH_BENCH_AWS"] ?? "aws";
  // Debian's and Amazon's own `aws` have CRT; PyPI's has not.
  const crt = process.env["BERTH_BENCH_AWS_CRT"];
  const awsWords =
    (program: string) =>
    (task: Task, endpoint: string = task.endpoint) => [
      program,
      "--endpoint-url",
      endpoint,
      "s3",
      "sync",
      "--only-show-errors",
      "s3://weights/m/",
      task.folder,
    ];
  const all: Client[] = [{ name: "berth", run: berth }];
  if (process.argv.includes("--floor")) all.push(bareNode);
  if (found("rclone"))
    all.push(
      tool("rclone", (task) => ["rclone", "copy", "--transfers", "16", "b:weights/m", task.folder]),
    );
  if (found(s5cmd))
    all.push(
      tool("s5cmd", (task) => [
        ...[s5cmd, "--endpoint-url", task.endpoint, "--log", "error"],
        ...["cp", "s3://weights/m/*", `${task.folder}/`],
      ]),
    );
  if (crt !== undefined) {
    const config = "/tmp/berth-bench-aws-crt";
    writeFileSync(
      config,
      "[default]\ns3 =\n  preferred_transfer_client = crt\n  addressing_style = path\n",
    );
    all.push(
      tool(
        "aws crt",
        (task) => awsWords(crt)(task, crtEndpoint(task)),
        (task) => ({ ...bundle(task), AWS_CONFIG_FILE: config }),
      ),
    );
  }
  if (found(aws)) all.push(tool("aws sync", (task) => awsWords(aws)(task), bundle));
  return all;
}
