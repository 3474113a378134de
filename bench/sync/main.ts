import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { clients, type Timing } from "./clients.ts";
import type { Fixture } from "./server.ts";
import { fixtureOf, median, metadataService, option, withServer } from "./workbench.ts";

/**
 * How long a sync takes beside the tools that one would use instead, in turn, from a server in memory to the disk:
 * `node --import tsx bench/sync/main.ts 1x256MiB 30x32MiB 2000x50KiB [--tls] [--durable] [--to FOLDER] [--rounds 3] [--only berth,rclone]`;
 * `--durable` counts the others' time until `sync` says that their bytes are on the disk, as ours are.
 */
function report(
  name: string,
  gigabytes: number,
  runs: readonly Timing[],
  ours: readonly Timing[],
): void {
  const wall = runs.map((run) => run.wallSeconds);
  // Each round's own pair: what else the machine does then touches both.
  const ratio = median(ours.map((run, round) => run.wallSeconds / (wall[round] ?? NaN)));
  const cpu = median(runs.map((run) => run.cpuSeconds)) / gigabytes;
  console.log(
    `  ${name.padEnd(9)} ${median(wall).toFixed(2)} s [${Math.min(...wall).toFixed(2)}-${Math.max(...wall).toFixed(2)}]  ` +
      `${(gigabytes / median(wall)).toFixed(2)} GB/s  ${cpu.toFixed(2)} CPU-s/GB  ` +
      `${median(runs.map((run) => run.maxRssMiB))} MiB  ours/it ${ratio.toFixed(2)}`,
  );
}

async function measure(fixture: Fixture, tls: boolean, metadata: string): Promise<void> {
  const rounds = Number(option("--rounds") ?? 3);
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
  const gigabytes = (fixture.count * fixture.bytes) / 1e9;
  console.log(`${fixture.name} over ${tls ? "TLS" : "plain HTTP"}, median of ${rounds} rounds`);
  for (const [name, timings] of runs) report(name, gigabytes, timings, runs.get("berth") ?? []);
}

const metadata = await metadataService();
try {
  for (const word of process.argv.slice(2).filter((each) => /^\d+x/.test(each)))
    await measure(fixtureOf(word), process.argv.includes("--tls"), metadata.url);
} finally {
  metadata.close();
}
