import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { sshCredentials, type SshCredentials } from "./ssh-credentials.ts";
import { SshError } from "./ssh-error.ts";
import type { SshThrough } from "./ssh-way.ts";
import {
  SshSession,
  usualTiming,
  type CommandOptions,
  type CommandResult,
  type SshEndpoint,
  type SshTiming,
} from "./ssh-session.ts";

/** Quotes a word for a POSIX shell. */
export function shellQuote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A host to talk to. */
export interface HostTarget {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** @default this machine reaches it itself */
  readonly through?: SshThrough | undefined;
  /** The host keys accepted at this moment, asked anew before each connection since a rotation changes them. */
  hostKeys(): Promise<readonly string[]>;
}

/** How long to keep at it. */
export interface HostPatience {
  /** Time to get a connection in, milliseconds: long where a machine may still be booting. */
  readonly connectMs: number;
  readonly timing?: SshTiming | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@link Host.script}. */
export interface ScriptOptions extends Omit<CommandOptions, "stdin"> {
  readonly args?: readonly string[] | undefined;
}

/**
 * A host over SSH. The connection is made when it is needed and made again when it was lost; so what runs here must be
 * safe to run twice, and all of it is: files are put in place by a rename, steps check before they act.
 */
export class Host {
  readonly target: HostTarget;
  readonly #patience: HostPatience;
  #session: SshSession | undefined;
  #connecting: Promise<SshSession> | undefined;
  #credentials: SshCredentials | undefined;

  constructor(target: HostTarget, patience: HostPatience) {
    this.target = target;
    this.#patience = patience;
  }

  /** `user@host:port`, for messages. */
  get name(): string {
    return `${this.target.user}@${this.target.host}:${String(this.target.port)}`;
  }

  /** The connection, made when there is none; callers at the same time share one. */
  async session(): Promise<SshSession> {
    if (this.#session?.open === true) return this.#session;
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    this.#session = await this.#connecting;
    return this.#session;
  }

  /** Ends the connection; the next use makes a new one. */
  close(): void {
    this.#session?.close();
    this.#session = undefined;
  }

  async #connect(): Promise<SshSession> {
    this.#credentials ??= await sshCredentials();
    const deadline = Date.now() + this.#patience.connectMs;
    for (let wait = 250; ; wait = Math.min(wait * 1.6, 3000)) {
      this.#patience.signal?.throwIfAborted();
      try {
        return await SshSession.connect(
          await this.#endpoint(),
          this.#credentials,
          this.#timing(deadline),
        );
      } catch (error) {
        const fatal =
          !(error instanceof SshError) || ["host-key", "credentials"].includes(error.failure);
        if (fatal || Date.now() + wait > deadline) throw error;
      }
      await sleep(wait);
    }
  }

  async #endpoint(): Promise<SshEndpoint> {
    const { host, port, user, through } = this.target;
    return { host, port, user, through, hostKeys: await this.target.hostKeys() };
  }

  #timing(deadline: number): SshTiming {
    const timing = this.#patience.timing ?? usualTiming;
    const left = Math.max(1000, deadline - Date.now());
    return { ...timing, readyTimeoutMs: Math.min(timing.readyTimeoutMs, left) };
  }

  /** Runs one command; when the connection is lost under it, runs it again on a new one, up to three times in all. */
  async run(command: string, options: () => CommandOptions): Promise<CommandResult> {
    for (let attempt = 1; ; attempt++) {
      const session = await this.session();
      try {
        return await session.exec(command, options());
      } catch (error) {
        const again = error instanceof SshError && error.failure === "lost" && attempt < 3;
        if (!again) throw error;
        session.close();
      }
    }
  }

  /** Runs a bash script, sent over standard input; nothing of it shows in a process list. */
  script(text: string, options: ScriptOptions): Promise<CommandResult> {
    const words = (options.args ?? []).map(shellQuote).join(" ");
    return this.run(`bash -s -- ${words}`, () => ({ ...options, stdin: text }));
  }

  /** A script's standard output; an exit status other than 0 is an error with the script's last words. */
  async output(text: string, args: readonly string[] = [], timeoutMs = 30_000): Promise<string> {
    const result = await this.script(text, { args, timeoutMs });
    if (result.code !== 0) {
      const words = (result.stderr.trim() || result.stdout.trim()).split("\n").slice(-5).join("\n");
      throw new Error(`a command on ${this.name} failed with status ${result.code}: ${words}`);
    }
    return result.stdout;
  }

  /**
   * Puts a file in place: written under another name beside it, checked against its SHA-256 on the host, then renamed.
   *
   * @param mode permissions, such as "755"
   */
  async put(content: string | Buffer, path: string, mode = "644"): Promise<void> {
    const sha256 = createHash("sha256").update(content).digest("hex");
    const command = `bash -c ${shellQuote(receiveFile)} receive ${[path, sha256, mode].map(shellQuote).join(" ")}`;
    const timeoutMs = 60_000 + content.length / 1000;
    const result = await this.run(command, () => ({ timeoutMs, stdin: content }));
    if (result.code !== 0) {
      throw new Error(`${path} could not be written on ${this.name}: ${result.stderr.trim()}`);
    }
  }
}

const receiveFile = `set -euo pipefail
path=$1 sha256=$2 mode=$3
mkdir -p "$(dirname "$path")"
temporary=$path.$$.tmp
trap 'rm -f "$temporary"' EXIT
umask 077
cat > "$temporary"
got=$( (sha256sum "$temporary" 2>/dev/null || shasum -a 256 "$temporary") | cut -d' ' -f1)
if [ "$got" != "$sha256" ]; then echo "what arrived is damaged: SHA-256 $got" >&2; exit 1; fi
chmod "$mode" "$temporary"
mv -f "$temporary" "$path"
`;
