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
