import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/** `${XDG_CACHE_HOME:-~/.cache}/berth`: what is built once for a user, and the list of running clouds. */
export function cacheFolder(): string {
  const root = process.env["XDG_CACHE_HOME"] ?? "";
  return join(isAbsolute(root) ? root : join(homedir(), ".cache"), "berth");
}
