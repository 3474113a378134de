import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { clients, type Timing } from "./clients.ts";
import type { Fixture } from "./server.ts";
import { fixtureOf, median, metadataService, option, withServer } from "./workbench.ts";

/**
 * How long a sync takes beside the tools that one would use instead, in turn, from a server in memory to the disk:
 * `node --import tsx bench/sync/main.ts 1x256MiB 30x32MiB 2000x50KiB [--tls | --both] [--durable] [--to FOLDER] [--rounds 3] [--only berth,rclone] [--floor]`;
 * `--floor` adds a Node program that checks nothing, for files of up to some MiB; `--durable` counts the others' time until `sync` says that their bytes are on the disk, as ours are. At the end it prints
 * the table of docs/weights.md.
 */
const rounds = Number(option("--rounds") ?? 3);

interface Measured {
  readonly fixture: Fixture;
  readonly tls: boolean;
  readonly runs: ReadonlyMap<string, readonly Timing[]>;
}

const gigabytesOf = ({ count, bytes }: Fixture): number => (count * bytes) / 1e9;

/** Ours to another's, each round its own pair: what else the machine does then touches both. */
function ratioTo(name: string, { runs }: Measured): number {
  const ours = runs.get("berth") ?? [];
  const theirs = runs.get(name) ?? [];
  return median(ours.map((run, round) => run.wallSeconds / (theirs[round]?.wallSeconds ?? NaN)));
}

function cpuPerGigabyte(name: string, { fixture, runs }: Measured): number {
  return median((runs.get(name) ?? []).map((run) => run.cpuSeconds)) / gigabytesOf(fixture);
}

const scheme = (tls: boolean): string => (tls ? "TLS" : "plain HTTP");

function report(measured: Measured): void {
  const { fixture, tls, runs } = measured;
  console.log(`${fixture.name} over ${scheme(tls)}, median of ${rounds} rounds`);
  for (const [name, timings] of runs) {
    const wall = timings.map((run) => run.wallSeconds);
    console.log(
      `  ${name.padEnd(9)} ${median(wall).toFixed(2)} s [${Math.min(...wall).toFixed(2)}-${Math.max(...wall).toFixed(2)}]  ` +
        `${(gigabytesOf(fixture) / median(wall)).toFixed(2)} GB/s  ${cpuPerGigabyte(name, measured).toFixed(2)} CPU-s/GB  ` +
        `${median(timings.map((run) => run.maxRssMiB))} MiB  ours/it ${ratioTo(name, measured).toFixed(2)}`,
    );
  }
}

/** All of it as the table of docs/weights.md. */
function table(all: readonly Measured[]): string {
  const names = [...(all[0]?.runs.keys() ?? [])];
  const others = names.filter((name) => name !== "berth");
  const head = [
    ...["from", "objects", "berth", ...others.map((name) => `ours / ${name}`)],
    ...[`CPU-s a GB: ${names.join(", ")}`, "berth's memory"],
  ];
  const rows = all.map((measured) => {
    const ours = measured.runs.get("berth") ?? [];
    return [
      ...[scheme(measured.tls), measured.fixture.name.replace("x", " x ")],
      `${median(ours.map((run) => run.wallSeconds)).toFixed(2)} s`,
      ...others.map((name) => ratioTo(name, measured).toFixed(2)),
      names.map((name) => cpuPerGigabyte(name, measured).toFixed(2)).join(", "),
      `${Math.max(...ours.map((run) => run.maxRssMiB))} MiB`,
    ];
  });
  return [head, head.map(() => "---"), ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}

async function measure(fixture: Fixture, tls: boolean, metadata: string): Promise<Measured> {
  const only = option("--only")?.split(",");
  const tools = clients().filter(({ name }) => only?.includes(name) ?? true);
  const runs = new Map<string, Timing[]>(tools.map(({ name }) => [name, []]));
  const usualPorts = tools.some(({ name }) => name === "aws crt");
  await withServer(fixture, { usualPorts }, async ({ s3, disk }) => {
    for (let round = 0; round < rounds; round++) {
      for (const { name, run } of round % 2 === 0 ? tools : tools.toReversed()) {
        const folder = join(disk, `${round}-${name.replace(" ", "-")}`);
        execFileSync("sync");
        const durable = process.argv.includes("--durable");
        const { certificate } = s3;
        const task = { endpoint: s3.endpoint(tls), certificate, metadata, folder, durable };
        const timing = await run(task).catch((error: unknown) => {
          console.log(`  ${name} failed: ${String(error).slice(0, 300)}`);
          return { wallSeconds: NaN, cpuSeconds: NaN, maxRssMiB: NaN };
        });
        runs.get(name)?.push(timing);
        // ext4 looks at each inode that was freed in the last seconds before it takes another, so that removing thousands
        // would slow down the tool that comes next.
        if (fixture.count < 200) rmSync(folder, { recursive: true, force: true });
      }
    }
  });
  return { fixture, tls, runs };
}

const metadata = await metadataService();
const schemes = process.argv.includes("--both") ? [false, true] : [process.argv.includes("--tls")];
const all: Measured[] = [];
try {
  for (const tls of schemes)
    for (const word of process.argv.slice(2).filter((each) => /^\d+x/.test(each))) {
      const measured = await measure(fixtureOf(word), tls, metadata.url);
      report(measured);
      all.push(measured);
    }
  console.log(`\n${table(all)}`);
} finally {
  metadata.close();
}
