import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../../components/user-error.ts";
import { shellQuote } from "../../provider/adapters/ssh.ts";
import type { SshThrough } from "../../provider/adapters/ssh-way.ts";

/** How a host is reached: from the outputs of its stack. */
export interface SshTarget {
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** The host's public key, an OpenSSH line; nothing else is believed. */
  readonly hostKey: string;
  /** @default it is reached from here */
  readonly through?: SshThrough | undefined;
}

/** What an ended `ssh` left. */
export interface SshResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A line of a known_hosts file that pins the host's key (https://man.openbsd.org/sshd.8#SSH_KNOWN_HOSTS_FILE_FORMAT). */
export function knownHostsLine(target: Pick<SshTarget, "address" | "port" | "hostKey">): string {
  const { address, port, hostKey } = target;
  const [algorithm = "", key = ""] = hostKey.trim().split(/\s+/);
  return `[${address}]:${port} ${algorithm} ${key}\n${address} ${algorithm} ${key}\n`;
}

/** The lines of a host and of the machine on the way to it. */
export function knownHostsText(target: SshTarget): string {
  const { through } = target;
  const own = knownHostsLine(target);
  if (through === undefined || "command" in through) return own;
  return own + knownHostsLine({ address: through.host, ...through });
}

/** A private key for `ssh` to try. */
export interface SshIdentity {
  readonly file: string;
  /** Whether it was named, so that no other is tried. */
  readonly only: boolean;
}

/**
 * The way to a host as OpenSSH's ProxyCommand. A jump host gets a client of its own, since `-J` would take that client's keys
 * and options from the user's configuration.
 */
function proxyCommand(
  through: SshThrough,
  knownHosts: string,
  identity: SshIdentity | undefined,
): string {
  if ("command" in through) return through.command.map(shellWord).join(" ");
  const { host: address, port, user, hostKey } = through;
  const jump = sshArguments({ address, port, user, hostKey }, knownHosts, identity);
  return ["ssh", "-W", "[%h]:%p", ...jump].map(shellWord).join(" ");
}

/** A word for the shell that `ssh` starts a ProxyCommand with; `%h` and `%p` stay its own. */
function shellWord(word: string): string {
  return /^[\w@%+=:,./[\]-]+$/.test(word) ? word : shellQuote(word);
}

/** Arguments of `ssh` that believe the pinned key only, and ask nothing of a person. */
export function sshArguments(
  target: SshTarget,
  knownHosts: string,
  identity: SshIdentity | undefined,
): readonly string[] {
  const options = [
    "StrictHostKeyChecking=yes",
    `UserKnownHostsFile=${knownHosts}`,
    "GlobalKnownHostsFile=/dev/null",
    "UpdateHostKeys=no",
    "ServerAliveInterval=15",
    "ConnectTimeout=15",
    ...(identity?.only === true ? ["IdentitiesOnly=yes"] : []),
    ...(target.through === undefined
      ? []
      : [`ProxyCommand=${proxyCommand(target.through, knownHosts, identity)}`]),
  ];
  return [
    ...options.flatMap((option) => ["-o", option]),
    ...(identity === undefined ? [] : ["-i", identity.file]),
    "-p",
    String(target.port),
    // Whatever a name begins with, it is not an option.
    "--",
    `${target.user}@${target.address}`,
  ];
}

/** The key as the provider takes it: its text, else the file that is named, else the usual file beside what `ssh` finds. */
async function identityOf(
  folder: string,
  environment: NodeJS.ProcessEnv,
): Promise<SshIdentity | undefined> {
  const text = environment["BERTH_SSH_PRIVATE_KEY"] ?? "";
  const named = environment["BERTH_SSH_KEY_FILE"] ?? "";
  if (text !== "") {
    const file = join(folder, "key");
    await writeFile(file, text.endsWith("\n") ? text : `${text}\n`, { mode: 0o600 });
    return { file, only: true };
  }
  if (named !== "") return { file: named, only: true };
  // `ssh` looks in the account's home folder, whatever HOME says.
  const usual = join(homedir(), ".ssh", "id_ed25519");
  return existsSync(usual) ? { file: usual, only: false } : undefined;
}

/** How a session of `ssh` is run. */
export interface SshSession {
  /** Words of the remote command; none opens a shell. */
  readonly command: readonly string[];
  /** Take the output instead of showing it, and never ask for anything. @default false */
  readonly capture?: boolean;
  /** What the remote command reads, with `capture`. @default nothing */
  readonly input?: string;
  readonly environment?: NodeJS.ProcessEnv;
}

/**
 * Runs the system's `ssh` with the host's key pinned.
 *
 * @throws UserError when there is no `ssh`
 */
export async function runSsh(target: SshTarget, session: SshSession): Promise<SshResult> {
  const { command, capture = false, input, environment = process.env } = session;
  const folder = await mkdtemp(join(tmpdir(), "berth-ssh-"));
  try {
    const knownHosts = join(folder, "known_hosts");
    await writeFile(knownHosts, knownHostsText(target), { mode: 0o600 });
    const args = sshArguments(target, knownHosts, await identityOf(folder, environment));
    const batch = capture ? ["-o", "BatchMode=yes"] : [];
    return await spawnSsh([...batch, ...args, ...command], capture, input);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function spawnSsh(args: readonly string[], capture: boolean, input = ""): Promise<SshResult> {
  const child = spawn("ssh", args, { stdio: capture ? "pipe" : "inherit" });
  // A session that ended before it read all says so by its code.
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(input);
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (data: Buffer) => (stdout += data.toString()));
  child.stderr?.on("data", (data: Buffer) => (stderr += data.toString()));
  return new Promise((resolve, reject) => {
    child.on("error", (cause) => {
      reject(
        new UserError("`ssh` could not be started.", {
          hint: "Install OpenSSH's client.",
          cause,
        }),
      );
    });
    child.on("close", (code) => {
      resolve({ code: code ?? 1, stdout, stderr });
    });
  });
}
