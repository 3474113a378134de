import type { Context } from "mocha";

/**
 * Skips a test that needs a part this machine lacks, and says why; under
 * `BERTH_REQUIRE_ALL_TIERS=1` (continuous integration) it fails instead.
 */
export function needs(context: Context, part: string, available: boolean, why: string): void {
  if (available) return;
  if (process.env["BERTH_REQUIRE_ALL_TIERS"] === "1") {
    throw new Error(`${part} is required here and is not available: ${why}`);
  }
  process.stderr.write(`    skipped, ${part} is not available: ${why}\n`);
  context.skip();
}

/** What a suite has started so far, which is nothing where it was skipped; it stops the last one first. */
export class Started {
  readonly #parts: { stop: () => Promise<void> }[] = [];

  /** Keeps a part to be stopped, and gives it back. */
  use<Part extends { stop: () => Promise<void> }>(part: Part): Part {
    this.#parts.push(part);
    return part;
  }

  /** Stops every part. */
  async stop(): Promise<void> {
    for (let part = this.#parts.pop(); part !== undefined; part = this.#parts.pop())
      await part.stop();
  }
}
