import { createServer } from "node:http";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AddressInfo } from "node:net";
import { StaticS3, type Fixture, type ServerOptions } from "./server.ts";

const units: Readonly<Record<string, number>> = { KiB: 1024, MiB: 1 << 20, GiB: 1 << 30 };

/** `30x256MiB` as files. */
export function fixtureOf(word: string): Fixture {
  const [, count, size, unit] = /^(\d+)x(\d+)([KMG]iB)$/.exec(word) ?? [];
  if (unit === undefined) throw new Error(`"${word}" is none of the form 30x256MiB`);
  return { name: word, count: Number(count), bytes: Number(size) * units[unit]! };
}

/** The word after an option of the command line. */
export function option(name: string): string | undefined {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
}

/** The metadata service of an instance with a role, so that every request is signed. */
export async function metadataService(): Promise<{ url: string; close: () => void }> {
  const server = createServer((request, response) => {
    if (request.method === "PUT") response.end("token");
    else if (request.url?.endsWith("/") === true) response.end("role");
    else
      response.end(
        '{"AccessKeyId":"ASIA","SecretAccessKey":"s","Token":"t","Expiration":"2099-01-01T00:00:00Z"}',
      );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

/** What a bench works with. */
export interface Workbench {
  readonly s3: StaticS3;
  /** A folder on the disk that is measured. */
  readonly disk: string;
}

/** Lends a server in memory that has the files, and a folder on the disk (`--to FOLDER`), and removes both. */
export async function withServer(
  fixture: Fixture,
  options: ServerOptions,
  use: (bench: Workbench) => Promise<void>,
): Promise<void> {
  const memory = mkdtempSync("/dev/shm/berth-bench-");
  const disk = mkdtempSync(join(option("--to") ?? tmpdir(), "berth-bench-"));
  const s3 = new StaticS3(memory, options);
  try {
    await s3.start(fixture);
    await use({ s3, disk });
  } finally {
    await s3.stop();
    for (const folder of [memory, disk]) rmSync(folder, { recursive: true, force: true });
  }
}
