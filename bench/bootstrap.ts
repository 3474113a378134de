import { execFile } from "node:child_process";
import { createReadStream } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { promisify } from "node:util";
import { nspawnTier } from "../offline/cloud/machines/nspawn.ts";
import { imageFolder } from "../offline/cloud/machines/nspawn/image.ts";
import type { Host } from "../provider/adapters/ssh.ts";
import { bootstrapHost } from "../provider/bootstrap-host.ts";
import { llamaServerBundle } from "../provider/engines/llama-server/bundle.ts";
import type { StepRecord } from "../provider/plan-run.ts";
import { BareMachine } from "../test/provider/bootstrap/bare-machine.ts";
import { PackageRepository } from "../test/provider/bootstrap/package-repository.ts";
import { operation } from "../test/provider/support/host.ts";
import { besideSync } from "./sync/beside.ts";
import { fixtureOf, withServer } from "./sync/workbench.ts";

/**
 * How long a bare machine takes to a verified driver, PyTorch and an engine, against a plain script that does the same installs
 * one after the other: `node --import tsx bench/bootstrap.ts [rounds]`. Needs what the machines of the tests need, on Debian 12.
 * With `--beside-sync` it is set against itself while weights come, at 4 MB/s a lane, which needs nginx as `bench/sync` does.
 *
 * Real: the machine (systemd, apt, dpkg, sshd, Python, pip), the connection, Node and the engine, which are sent over it. Made
 * up: the driver's packages and PyTorch's wheel weigh 150 MB each and come at 20 MB/s; on Ubuntu 24.04 branch 580 fetches
 * 319 MB, and PyTorch with its CUDA libraries about 3 GB, so that what runs side by side here is the smaller part of it.
 */
const rounds = Number(process.argv.slice(2).find((word) => /^\d+$/.test(word)) ?? 3);
const speed = { megabytes: 150, bytesPerSecond: 20e6 };
const wheel = "torch-2.9.1+cu130-py3-none-any.whl";
const packages = [
  "linux-modules-nvidia-580-server-open-$(uname -r)",
  "nvidia-headless-no-dkms-580-server-open",
  "nvidia-utils-580-server",
  "python3-venv",
];

/** A wheel named as PyTorch's build, with nothing in it but weight; made by Python, whose format it is. */
async function torchWheel(): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), "berth-wheel-"));
  const program = `
import os, sys, zipfile
info = "torch-2.9.1+cu130.dist-info"
with zipfile.ZipFile(sys.argv[1], "w") as archive:
    archive.writestr("torch/__init__.py", "")
    archive.writestr("torch/weight.bin", os.urandom(${speed.megabytes} * 10**6))
    archive.writestr(info + "/METADATA", "Metadata-Version: 2.1\\nName: torch\\nVersion: 2.9.1+cu130\\n")
    archive.writestr(info + "/WHEEL", "Wheel-Version: 1.0\\nGenerator: bench\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    archive.writestr(info + "/RECORD", "")
`;
  await promisify(execFile)("python3", ["-c", program, join(folder, "wheel")]);
  const content = await readFile(join(folder, "wheel"));
  await rm(folder, { recursive: true });
  return content;
}

/** Counts what passes between a client and the machine. */
class Meter {
  bytes = 0;
  readonly #server = createServer((socket) => {
    const { host, port } = this.#target;
    const upstream = connect(port, host);
    for (const [from, to] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      from.on("data", (chunk) => (this.bytes += chunk.length));
      from.on("error", () => to.destroy());
      from.pipe(to);
    }
  });
  readonly #target: { host: string; port: number };

  constructor(target: { host: string; port: number }) {
    this.#target = target;
  }

  async start(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  stop(): void {
    this.#server.close();
  }
}

/** Where the machine finds packages and wheels. */
let index = "";

interface Measured {
  readonly seconds: number;
  readonly roundTrips: number;
  readonly megabytes: number;
  /** Of the machine's processors, which do not depend on what else this computer does. */
  readonly cpuSeconds: number;
  readonly steps: readonly StepRecord[];
}

/** What all processes of the machine have used so far, those that ended included, seconds. */
async function cpuOf(machine: BareMachine): Promise<number> {
  const fields = "{ ticks += $12 + $13 + $14 + $15 } END { print ticks / 100 }";
  // A process may end between its name and its file.
  const all = "{ cat /proc/[0-9]*/stat 2>/dev/null || true; }";
  return Number(await machine.root(`${all} | sed 's/.*) //' | awk '${fields}'`));
}

async function measure(
  machine: BareMachine,
  work: (host: Host) => Promise<readonly StepRecord[]>,
): Promise<Measured> {
  const meter = new Meter(machine.address);
  const host = machine.host({ address: "127.0.0.1", port: await meter.start() });
  let roundTrips = 0;
  const run = host.run.bind(host);
  host.run = (...call) => {
    roundTrips += 1;
    return run(...call);
  };
  const cpuBefore = await cpuOf(machine);
  const began = performance.now();
  const steps = await work(host);
  const seconds = (performance.now() - began) / 1000;
  const cpuSeconds = (await cpuOf(machine)) - cpuBefore;
  host.close();
  meter.stop();
  return { seconds, roundTrips, megabytes: meter.bytes / 1e6, cpuSeconds, steps };
}

async function ours(host: Host): Promise<readonly StepRecord[]> {
  const inputs = {
    gpu: { model: "L4", count: 1 },
    engine: "llama.cpp",
    torch: "2.9",
    mirror: { url: index, torchUrl: index },
    dataFolder: "/opt/berth",
    timeoutSeconds: 300,
  };
  return (await bootstrapHost(host, inputs, operation()))["steps"] as readonly StepRecord[];
}

/** The same installs one after the other, each a command over one connection, as a short script would have them. */
async function plain(host: Host): Promise<readonly StepRecord[]> {
  const command = async (text: string, stdin?: NodeJS.ReadableStream): Promise<void> => {
    const { code, stderr } = await host.run(text, () => ({ timeoutMs: 300_000, stdin }));
    if (code !== 0) throw new Error(`${text}: ${stderr}`);
  };
  await command(
    "cloud-init status --wait; sudo mkdir -p /opt/berth && sudo chown $(id -u) /opt/berth",
  );
  await command("sudo apt-get -qq update");
  await command(
    `sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq -y install ${packages.join(" ")}`,
  );
  await command("sudo modprobe nvidia && sudo modprobe nvidia-uvm && nvidia-smi -L");
  await command(
    "mkdir -p /opt/berth/node/bin && cat >/opt/berth/node/bin/node && chmod +x /opt/berth/node/bin/node",
    createReadStream(process.execPath),
  );
  await command(
    `python3 -m venv /opt/berth/python && /opt/berth/python/bin/pip install -q --disable-pip-version-check --index-url ${index}/cu130 'torch==2.9.*'`,
  );
  const bundle = await llamaServerBundle();
  await command(
    "mkdir -p /opt/berth/engines && tar -xz -C /opt/berth/engines",
    createReadStream(bundle.path),
  );
  return [];
}

const shown = ({ seconds, cpuSeconds, roundTrips, megabytes }: Measured): string =>
  `${seconds.toFixed(1)} s, ${cpuSeconds.toFixed(1)} s of processors, ${roundTrips} round trips, ${megabytes.toFixed(0)} MB over SSH`;
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** Debian's packages for virtual environments, in the version of the image's Python. */
async function venvPackages(): Promise<readonly string[]> {
  await nspawnTier.prepare(() => undefined);
  const query = [
    `--admindir=${imageFolder("bookworm")}/var/lib/dpkg`,
    "-W",
    "-f",
    "${Version}",
    "python3.11",
  ];
  const { stdout: version } = await promisify(execFile)("dpkg-query", query);
  const rest = ["pip-whl", "setuptools-whl", "distutils", "lib2to3", "venv"];
  return [`python3.11-venv=${version}`, ...rest.map((name) => `python3-${name}`)];
}

async function againstScript(machine: BareMachine): Promise<void> {
  const ratios: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    await machine.begin();
    const sequential = await measure(machine, plain);
    await machine.begin();
    const first = await measure(machine, ours);
    const again = await measure(machine, ours);
    ratios.push(first.seconds / sequential.seconds);
    const phases = first.steps
      .map(({ name, seconds }) => `${name} ${seconds.toFixed(1)}`)
      .join(", ");
    console.log(`round ${round}: plain script ${shown(sequential)}`);
    console.log(`         bootstrap    ${shown(first)} (${phases})`);
    console.log(`         second run   ${shown(again)}`);
  }
  console.log(
    `ratio of the bootstrap to the plain script, median of ${rounds}: ${median(ratios).toFixed(2)}`,
  );
}

async function besideWeights(machine: BareMachine): Promise<void> {
  const ratios: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    await machine.begin();
    const alone = await measure(machine, ours);
    await machine.begin();
    const link = machine.host();
    const { value, share } = await besideSync(link, index, () => measure(machine, ours));
    link.close();
    ratios.push(value.seconds / alone.seconds);
    console.log(`round ${round}: alone ${shown(alone)}`);
    console.log(
      `         beside a sync ${shown(value)}; it ran ${Math.round(share * 100)} % of that`,
    );
  }
  console.log(
    `ratio of the bootstrap beside a sync to that alone, median of ${rounds}: ${median(ratios).toFixed(2)}`,
  );
}

async function onMachine(compare: (machine: BareMachine) => Promise<void>): Promise<void> {
  const machine = await BareMachine.start(repository, { diskGiB: 12 });
  try {
    await llamaServerBundle();
    await machine.begin();
    await measure(machine, ours);
    await compare(machine);
  } finally {
    await machine.stop();
  }
}

const repository = await PackageRepository.start({
  driverMB: speed.megabytes,
  bytesPerSecond: speed.bytesPerSecond,
  debian: await venvPackages(),
  files: {
    torch: Buffer.from(`<a href="/${wheel.replace("+", "%2B")}">${wheel}</a>`),
    [wheel]: await torchWheel(),
  },
});
index = `http://127.0.0.1:${repository.port}`;
try {
  if (process.argv.includes("--beside-sync")) {
    // Two GiB are enough for half a minute. A machine reaches one port of this computer: S3 stands before the packages.
    const options = { laneBytesPerSecond: 4e6, behind: index };
    await withServer(fixtureOf("8x256MiB"), options, async ({ s3 }) => {
      index = s3.endpoint(false);
      repository.port = s3.port;
      await onMachine(besideWeights);
    });
  } else await onMachine(againstScript);
} finally {
  await repository.stop();
}
process.exit(0);
