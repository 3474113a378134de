import { timestamp } from "../components/lease/lease.ts";
import type { Host } from "./adapters/ssh.ts";
import { remoteScript } from "./remote/scripts.ts";

const script = remoteScript("set-deadline.sh");

/**
 * Tells a host when its lease ends now, so that its own timer does not end it at the time that it was launched with.
 *
 * @param expiresAt RFC 3339; empty means no end
 * @throws Error when the host refuses
 */
export async function setHostDeadline(host: Host, expiresAt: string): Promise<void> {
  const deadline = expiresAt === "" ? "none" : String(Math.floor(Date.parse(expiresAt) / 1000));
  await host.output(script, [deadline]);
}

/** When a host ends itself, RFC 3339; empty when it does not. */
export async function readHostDeadline(host: Host): Promise<string> {
  const seconds = (await host.output(script, ["show"])).trim();
  return seconds === "" ? "" : timestamp(new Date(Number(seconds) * 1000));
}

/** Keeps a host's own timers from ending it, or lets them again. */
export async function setHostProtection(host: Host, protect: boolean): Promise<void> {
  await host.output(script, [protect ? "protect" : "unprotect"]);
}

/** Whether a host's own timers are kept from ending it. */
export async function readHostProtection(host: Host): Promise<boolean> {
  return (await host.output(script, ["protected"])).trim() === "true";
}
