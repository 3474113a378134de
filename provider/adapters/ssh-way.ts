import { spawn } from "node:child_process";
import { Duplex } from "node:stream";
import type { SshCredentials } from "./ssh-credentials.ts";
import { SshError } from "./ssh-error.ts";
import { SshSession, type SshTiming } from "./ssh-session.ts";

/** A machine that is logged in to on the way; its key is pinned as the host's own is. */
export interface JumpHost {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** An OpenSSH public line. */
  readonly hostKey: string;
}

/** How a host is reached that this machine does not reach itself: over a jump host, or by the words of a program. */
export type SshThrough = JumpHost | { readonly command: readonly string[] };

/** A way that is open: what SSH is spoken over. */
export interface SshWay {
  readonly socket: Duplex;
  /** Ends it; a program of AWS's does not see by itself that its host has gone. */
  close(): void;
  /** What a program said of its failure. */
  complaint(): string;
}

interface Destination {
  readonly host: string;
  readonly port: number;
}

async function overJump(
  { hostKey, ...login }: JumpHost,
  { host, port }: Destination,
  credentials: SshCredentials,
  timing: SshTiming,
): Promise<SshWay> {
  const jump = await SshSession.connect({ ...login, hostKeys: [hostKey] }, credentials, timing);
  try {
    const socket = await jump.channelTo(host, port);
    return {
      socket,
      close: () => {
        jump.close();
      },
      complaint: () => "",
    };
  } catch (error) {
    jump.close();
    const where = `${login.user}@${login.host}`;
    throw new SshError("unreachable", `${where} does not reach ${host}:${port}`, error);
  }
}

/** Words with `%h` and `%p` for the host and its port, as OpenSSH's ProxyCommand has them; no shell is between. */
function byCommand(words: readonly string[], { host, port }: Destination): SshWay {
  const filled = words.map((word) => word.replaceAll("%h", host).replaceAll("%p", String(port)));
  const [program = "", ...args] = filled;
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
  const socket = Duplex.from({ readable: child.stdout, writable: child.stdin });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-500)));
  child.on("error", (error) => {
    said = `${program} could not be started: ${error.message}`;
    socket.destroy(error);
  });
  // A broken pipe is told by the end of the connection.
  child.stdin.on("error", () => undefined);
  socket.on("error", () => undefined);
  return {
    socket,
    close: () => {
      child.kill();
    },
    complaint: () => said.trim(),
  };
}

/**
 * Opens the way to a host.
 *
 * @throws SshError when the jump host refuses, or does not reach it
 */
export async function openWay(
  through: SshThrough,
  destination: Destination,
  credentials: SshCredentials,
  timing: SshTiming,
): Promise<SshWay> {
  if ("command" in through) return byCommand(through.command, destination);
  return overJump(through, destination, credentials, timing);
}

/** The same error with what the program on the way said, which knows more of it. */
export function withComplaint(error: Error, complaint: string): Error {
  if (complaint !== "") error.message = `${error.message} (${complaint})`;
  return error;
}
