import { z } from "zod";

const progressSchema = z.object({
  ready: z.number(),
  total: z.number(),
  received: z.number(),
  /** The slower one of the host's disk and network card, as the host found it. */
  ceiling: z.object({ of: z.enum(["disk", "network"]), bytesPerSecond: z.number() }).optional(),
});
type Progress = z.infer<typeof progressSchema>;

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

/** `45 s`, `3 min 20 s`, `2 h 5 min`. */
function durationText(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** One line: how far, how fast, how fast in parts of what the host can do, how long still. */
function line({ ready, total, ceiling }: Progress, bytesPerSecond: number): string {
  const percent = total === 0 ? 100 : Math.floor((ready / total) * 100);
  const share =
    ceiling === undefined
      ? ""
      : ` (${Math.round((bytesPerSecond / ceiling.bytesPerSecond) * 100)} % of what the ${ceiling.of} takes)`;
  const left = bytesPerSecond > 0 ? `, ${durationText((total - ready) / bytesPerSecond)} left` : "";
  return `weights: ${percent} % of ${bytesText(total)}, ${bytesText(bytesPerSecond)}/s${share}${left}`;
}

/** Turns the engine's progress lines into one readable line every few seconds. */
function follow(everySeconds: number, write: (line: string) => void): (line: string) => void {
  let last = Date.now();
  let before = 0;
  return (text) => {
    if (text.startsWith("@waiting "))
      write("weights: another sync of the folder runs; this one waits for its end");
    if (!text.startsWith("@progress ")) return;
    const now = Date.now();
    if (now - last < everySeconds * 1000) return;
    const progress = progressSchema.parse(JSON.parse(text.slice("@progress ".length)));
    write(line(progress, ((progress.received - before) / (now - last)) * 1000));
    last = now;
    before = progress.received;
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
export const describeProgress = { follow, line, end };
