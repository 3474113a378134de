import { createReadStream } from "node:fs";
import { performance } from "node:perf_hooks";
import { connect, createServer, type AddressInfo } from "node:net";
import type { Host } from "../provider/adapters/ssh.ts";
import { bootstrapHost } from "../provider/bootstrap-host.ts";
import { llamaServerBundle } from "../provider/engines/llama-server/bundle.ts";
import type { StepRecord } from "../provider/plan-run.ts";
import { BareMachine } from "../test/provider/bootstrap/bare-machine.ts";
import { PackageRepository } from "../test/provider/bootstrap/package-repository.ts";
import { operation } from "../test/provider/support/host.ts";

/**
 * How long a bare machine takes to a verified driver and an engine, against a plain script that does the same installs one
 * after the other: `node --import tsx bench/bootstrap.ts [rounds]`. Needs what the machines of the tests need.
 *
 * Real: the machine (systemd, apt, dpkg, sshd), the connection, Node and the engine, which are sent over it. Made up: the
 * driver's packages weigh 150 MB and come at 20 MB/s, as from a busy mirror; on Ubuntu 24.04 branch 580 weighs 319 MB.
 */
const rounds = Number(process.argv[2] ?? 3);
const load = { driverMB: 150, bytesPerSecond: 20e6 };
const packages = [
  "linux-modules-nvidia-580-server-open-$(uname -r)",
  "nvidia-headless-no-dkms-580-server-open",
  "nvidia-utils-580-server",
];

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

interface Measured {
  readonly seconds: number;
  readonly roundTrips: number;
  readonly megabytes: number;
  readonly steps: readonly StepRecord[];
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
  const began = performance.now();
  const steps = await work(host);
  const seconds = (performance.now() - began) / 1000;
  host.close();
  meter.stop();
  return { seconds, roundTrips, megabytes: meter.bytes / 1e6, steps };
}

async function ours(host: Host): Promise<readonly StepRecord[]> {
  const inputs = {
    gpu: { model: "L4", count: 1 },
    engine: "llama.cpp",
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
  const bundle = await llamaServerBundle();
  await command(
    "mkdir -p /opt/berth/engines && tar -xz -C /opt/berth/engines",
    createReadStream(bundle.path),
  );
  return [];
}

const shown = ({ seconds, roundTrips, megabytes }: Measured): string =>
  `${seconds.toFixed(1)} s, ${roundTrips} round trips, ${megabytes.toFixed(0)} MB over SSH`;
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

const repository = await PackageRepository.start(load);
const machine = await BareMachine.start(repository);
try {
  await llamaServerBundle();
  await machine.begin();
  await measure(machine, ours);
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
} finally {
  await machine.stop();
  await repository.stop();
}
process.exit(0);
