import { dirname } from "node:path";
import { Host, type HostPatience } from "../../../provider/adapters/ssh.ts";
import type { Operation } from "../../../provider/plugin/resource-type.ts";
import type { TestSshd } from "./sshd.ts";

/** Environment of sessions whose PATH has this Node first, so that none needs to be sent. */
export const nodeOnPath = {
  PATH: `${dirname(process.execPath)}:${process.env["PATH"] ?? "/usr/bin:/bin"}`,
};

/** A client of a test's sshd, or of another port in front of it. */
export function hostOn(
  sshd: Pick<TestSshd, "port" | "user" | "hostKey" | "clientKey">,
  changes: { port?: number; hostKeys?: readonly string[]; patience?: Partial<HostPatience> } = {},
): Host {
  process.env["BERTH_SSH_PRIVATE_KEY"] = sshd.clientKey;
  return new Host(
    {
      host: "127.0.0.1",
      port: changes.port ?? sshd.port,
      user: sshd.user,
      hostKeys: () => Promise.resolve(changes.hostKeys ?? [sshd.hostKey]),
    },
    { connectMs: 30_000, ...changes.patience },
  );
}

/** An operation that keeps what is logged. */
export function operation(
  timeoutSeconds = 0,
): Operation & { readonly lines: string[]; cancel(): void } {
  const lines: string[] = [];
  const abort = new AbortController();
  return {
    urn: "urn:pulumi:dev::berth::berth:index:Test::it",
    timeoutSeconds,
    signal: abort.signal,
    log: (message) => lines.push(message),
    lines,
    cancel: () => {
      abort.abort();
    },
  };
}
