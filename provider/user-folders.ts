import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/** A variable's folder, where it names one from the root; the XDG Base Directory Specification has others ignored. */
function named(variable: string): string | undefined {
  const folder = process.env[variable] ?? "";
  return isAbsolute(folder) ? folder : undefined;
}

/** `${XDG_CACHE_HOME:-~/.cache}/berth`: what is made once for a user, and may be deleted at any time. */
export function cacheFolder(): string {
  return join(named("XDG_CACHE_HOME") ?? join(homedir(), ".cache"), "berth");
}

/** `${XDG_STATE_HOME:-~/.local/state}/berth`: what has to outlast a run. */
export function stateFolder(): string {
  return join(named("XDG_STATE_HOME") ?? join(homedir(), ".local", "state"), "berth");
}
