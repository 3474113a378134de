import { join } from "node:path";
import { berth, type Task, type Timing } from "./clients.ts";
import { fixtureOf, median, metadataService, option, withServer } from "./workbench.ts";

/**
 * How a sync of ours grows with the number of files and with the lanes, from a server in memory to the disk:
 * `node --import tsx bench/sync/growth.ts [--size 64KiB] [--rounds 3] [--to FOLDER] [--tls]`.
 *
 * Each number of files is fetched, and then synced once more with nothing to do. The lanes share eight files of 64 MiB; what
 * memory they may take is 16 MiB each and 150 MiB.
 */
const counts = [10, 100, 1000, 10_000];
const lanes = [1, 2, 4, 8, 16, 32, 64];
const size = option("--size") ?? "64KiB";
const rounds = Number(option("--rounds") ?? 3);
const tls = process.argv.includes("--tls");

const seconds = (runs: readonly Timing[]): number => median(runs.map((run) => run.wallSeconds));

async function growFiles(base: Pick<Task, "metadata" | "durable">): Promise<void> {
  console.log(`files of ${size}: median of ${rounds} rounds`);
  let smallest: number | undefined;
  for (const count of counts) {
    const fixture = fixtureOf(`${count}x${size}`);
    await withServer(fixture, { log: true }, async ({ s3, disk }) => {
      const first: Timing[] = [];
      const second: Timing[] = [];
      let gets = 0;
      for (let round = 0; round < rounds; round++) {
        const { certificate } = s3;
        const folder = join(disk, String(round));
        const task = { ...base, endpoint: s3.endpoint(tls), certificate, folder };
        first.push(await berth(task));
        const before = s3.objectGets;
        second.push(await berth(task));
        gets += s3.objectGets - before;
      }
      const ms = (seconds(first) * 1000) / count;
      const cpuMs = (median(first.map((run) => run.cpuSeconds)) * 1000) / count;
      smallest ??= ms;
      console.log(
        `  ${String(count).padStart(6)} files ${seconds(first).toFixed(2)} s, ${ms.toFixed(2)} ms a file ` +
          `(${(ms / smallest).toFixed(3)} of that of ${counts[0]}), ${cpuMs.toFixed(2)} CPU-ms a file; ` +
          `second run ${seconds(second).toFixed(2)} s, ${gets} GETs`,
      );
    });
  }
}

async function growLanes(base: Pick<Task, "metadata" | "durable">): Promise<void> {
  const fixture = fixtureOf("8x64MiB");
  const gigabytes = (fixture.count * fixture.bytes) / 1e9;
  console.log(`lanes, for ${fixture.name}: median of ${rounds} rounds`);
  await withServer(fixture, {}, async ({ s3, disk }) => {
    let one: number | undefined;
    for (const most of lanes) {
      const runs: Timing[] = [];
      for (let round = 0; round < rounds; round++) {
        const { certificate } = s3;
        const folder = join(disk, `${most}-${round}`);
        const tuning = { lanes: most, mostLanes: most };
        const place = { endpoint: s3.endpoint(tls), certificate, folder };
        runs.push(await berth({ ...base, ...place, tuning }));
      }
      const wall = seconds(runs);
      one ??= wall;
      const cpu = median(runs.map((run) => run.cpuSeconds)) / gigabytes;
      const rss = Math.max(...runs.map((run) => run.maxRssMiB));
      console.log(
        `  ${String(most).padStart(3)} lanes ${wall.toFixed(2)} s (${(wall / one).toFixed(2)} of that of one), ` +
          `${cpu.toFixed(2)} CPU-s/GB, ${rss} MiB of ${most * 16 + 150}`,
      );
    }
  });
}

const metadata = await metadataService();
try {
  const base = { metadata: metadata.url, durable: true };
  await growFiles(base);
  await growLanes(base);
} finally {
  metadata.close();
}
