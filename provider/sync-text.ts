import { z } from "zod";

const progressSchema = z.object({ ready: z.number(), total: z.number(), received: z.number() });

/** Bytes for people: `1.5 GB` (powers of ten, as network and disk figures are). */
export function bytesText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? ""}`;
}

/** A path that two of the paths share when letter case is ignored, as some file systems do; undefined when none. */
export function duplicatePaths(paths: readonly string[]): string | undefined {
  const seen = new Set<string>();
  for (const path of paths) {
    const plain = path.toLowerCase();
    if (seen.has(plain)) return path;
    seen.add(plain);
  }
  return undefined;
}

/** Turns the engine's progress lines into one readable line every few seconds. */
function follow(everySeconds: number, write: (line: string) => void): (line: string) => void {
  let last = Date.now();
  let before = 0;
  return (line) => {
    if (!line.startsWith("@progress ")) return;
    const now = Date.now();
    if (now - last < everySeconds * 1000) return;
    const { ready, total, received } = progressSchema.parse(
      JSON.parse(line.slice("@progress ".length)),
    );
    const rate = ((received - before) / (now - last)) * 1000;
    const percent = total === 0 ? 100 : Math.floor((ready / total) * 100);
    write(`weights: ${percent} % of ${bytesText(total)}, ${bytesText(rate)}/s`);
    last = now;
    before = received;
  };
}

function end(
  done: { received: number; seconds: number; fetchedFiles: number },
  objects: readonly { size: number }[],
): string {
  const total = bytesText(objects.reduce((sum, { size }) => sum + size, 0));
  if (done.fetchedFiles === 0)
    return `weights: all ${objects.length} files (${total}) were there already`;
  const rate = done.seconds > 0 ? `, ${bytesText(done.received / done.seconds)}/s` : "";
  return `weights: ${objects.length} files (${total}) are there; fetched ${bytesText(done.received)} in ${done.seconds.toFixed(1)} s${rate}`;
}

/** What the log says of a sync. */
export const describeProgress = { follow, end };
