import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import ssh2 from "ssh2";
import type { ClientChannel, ConnectConfig } from "ssh2";
import { Gate } from "./gate.ts";
import type { SshCredentials } from "./ssh-credentials.ts";
import { algorithms, parsePinned, publicLine } from "./pinned-key.ts";
import { classify, SshError } from "./ssh-error.ts";
import { openWay, withComplaint, type SshThrough, type SshWay } from "./ssh-way.ts";

/** OpenSSH allows ten channels a connection (`MaxSessions`); two are left free. */
const maxChannels = 8;
/** What is kept of a command's output, bytes; the rest is read and dropped. */
const maxOutput = 4 * 1024 * 1024;

/** Where and as whom to log in, and the host keys (OpenSSH public lines) of which the host must show one. */
export interface SshEndpoint {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly hostKeys: readonly string[];
  /** @default this machine reaches it itself */
  readonly through?: SshThrough | undefined;
}

/** How a command ended. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run a command. */
export interface CommandOptions {
  /** Whole time, milliseconds; the channel is closed at its end. */
  readonly timeoutMs: number;
  /** Written to the command's standard input, which is then closed; a function decides when, by what it reads. */
  readonly stdin?: string | Buffer | NodeJS.ReadableStream | undefined;
  readonly onStdout?: ((chunk: string) => void) | undefined;
}

/** Timing of a connection, milliseconds. */
export interface SshTiming {
  readonly readyTimeoutMs: number;
  readonly keepaliveMs: number;
}

/** Fifteen seconds for a handshake; a silent link is given up after four unanswered keepalives, a minute. */
export const usualTiming: SshTiming = { readyTimeoutMs: 15_000, keepaliveMs: 15_000 };

/** One SSH connection; it is never used again after it is lost. */
export class SshSession {
  readonly #client: ssh2.Client;
  readonly #gate = new Gate(maxChannels);
  readonly #where: string;
  /** The key that the host showed, as an OpenSSH public line. */
  readonly hostKey: string;
  #open = true;

  private constructor(client: ssh2.Client, where: string, hostKey: string) {
    this.#client = client;
    this.hostKey = hostKey;
    this.#where = where;
    client.on("close", () => {
      this.#open = false;
    });
    client.on("error", () => {
      this.#open = false;
    });
  }

  /** Whether the connection is up, as far as is known. */
  get open(): boolean {
    return this.#open;
  }

  /**
   * Connects once. A host that shows any other key than a pinned one is refused before anything is sent to it.
   *
   * @throws SshError of kind host-key, auth, unreachable or lost
   */
  static async connect(
    endpoint: SshEndpoint,
    credentials: SshCredentials,
    timing = usualTiming,
  ): Promise<SshSession> {
    const { through } = endpoint;
    if (through === undefined) return SshSession.#connect(endpoint, credentials, timing, undefined);
    const way = await openWay(through, endpoint, credentials, timing);
    return SshSession.#connect(endpoint, credentials, timing, way);
  }

  static #connect(
    endpoint: SshEndpoint,
    credentials: SshCredentials,
    timing: SshTiming,
    way: SshWay | undefined,
  ): Promise<SshSession> {
    const where = `${endpoint.user}@${endpoint.host}:${String(endpoint.port)}`;
    const pinned = endpoint.hostKeys.map(parsePinned);
    let refused = false;
    let shown = "";
    const client = new ssh2.Client();
    // Every command under way listens for its end.
    client.setMaxListeners(0);
    const config: ConnectConfig = {
      host: endpoint.host,
      port: endpoint.port,
      username: endpoint.user,
      readyTimeout: timing.readyTimeoutMs,
      keepaliveInterval: timing.keepaliveMs,
      keepaliveCountMax: 4,
      algorithms: { serverHostKey: algorithms(pinned) },
      hostVerifier: (key: Buffer) => {
        const known = pinned.some(({ raw }) => raw.equals(key));
        refused = !known;
        shown = publicLine(key);
        return known;
      },
      ...(way === undefined ? {} : { sock: way.socket }),
      ...credentials,
    };
    client.on("close", () => way?.close());
    return new Promise((resolve, reject) => {
      const fail = (failure: Error): void => {
        client.destroy();
        way?.close();
        const error = withComplaint(failure, way?.complaint() ?? "");
        const noCommonKey = error.message.includes("no matching host key format");
        if (refused || noCommonKey) {
          reject(
            new SshError(
              "host-key",
              `${where} shows a host key other than the pinned one (E_HOST_KEY). Either the machine at this address is another one, or somebody is between you and it; nothing was sent to it.`,
            ),
          );
        } else reject(classify(error, where));
      };
      client.once("ready", () => {
        client.off("error", fail);
        resolve(new SshSession(client, where, shown));
      });
      client.once("error", fail);
      // ssh2 may tell a second error while it goes down; unheard, it would end the process.
      client.on("error", () => undefined);
      client.once("close", () => {
        fail(new Error("the connection was closed before the login was done"));
      });
      client.connect(config);
    });
  }

  /**
   * Runs a command with no terminal and collects its output (the first 4 MiB). A command whose exit status never arrives
   * counts as lost, never as a success.
   *
   * @throws SshError of kind lost or timeout
   */
  exec(command: string, options: CommandOptions): Promise<CommandResult> {
    return this.#gate.run(() => this.#exec(command, options));
  }

  #exec(command: string, options: CommandOptions): Promise<CommandResult> {
    return new Promise((resolve, reject) => {
      let settled = false;
      let channel: ClientChannel | undefined;
      const finish = (act: () => void): void => {
        if (settled) return;
        settled = true;
        clearTimeout(timer);
        this.#client.off("close", onLost);
        act();
      };
      const onLost = (): void => {
        finish(() => {
          reject(
            new SshError("lost", `the connection to ${this.#where} was lost while a command ran`),
          );
        });
      };
      const timer = setTimeout(() => {
        finish(() => {
          channel?.close();
          const seconds = Math.round(options.timeoutMs / 1000);
          reject(
            new SshError("timeout", `a command on ${this.#where} did not end within ${seconds} s`),
          );
        });
      }, options.timeoutMs);
      if (!this.#open) {
        onLost();
        return;
      }
      this.#client.once("close", onLost);
      try {
        this.#client.exec(command, (error, opened) => {
          if (error !== undefined) {
            finish(() => {
              reject(classify(error, this.#where));
            });
            return;
          }
          channel = opened;
          this.#collect(opened, options, (result) => {
            if (result === undefined) onLost();
            else
              finish(() => {
                resolve(result);
              });
          });
        });
      } catch {
        onLost();
      }
    });
  }

  #collect(
    channel: ClientChannel,
    options: CommandOptions,
    done: (result: CommandResult | undefined) => void,
  ): void {
    const out = new Output();
    const errors = new Output();
    let code: number | null = null;
    channel.on("data", (chunk: Buffer) => {
      out.add(chunk);
      options.onStdout?.(chunk.toString("utf8"));
    });
    channel.stderr.on("data", (chunk: Buffer) => {
      errors.add(chunk);
    });
    channel.on("exit", (status: number | null) => {
      code = status;
    });
    // Data may follow the exit status: only the close ends a command.
    channel.on("close", () => {
      done(code === null ? undefined : { code, stdout: out.text(), stderr: errors.text() });
    });
    channel.on("error", () => undefined);
    const { stdin } = options;
    if (stdin === undefined || typeof stdin === "string" || Buffer.isBuffer(stdin))
      channel.end(stdin);
    else stdin.pipe(channel);
  }

  /** A connection that the host makes to an address which it reaches. */
  channelTo(host: string, port: number): Promise<ClientChannel> {
    return new Promise((resolve, reject) => {
      this.#client.forwardOut("127.0.0.1", 0, host, port, (error, channel) => {
        if (error !== undefined) reject(error);
        else resolve(channel);
      });
    });
  }

  /** Listens on a free port of this machine's loopback and carries each connection to a port of the host's loopback. */
  async forward(remotePort: number): Promise<{ port: number; close: () => void }> {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      this.#client.forwardOut("127.0.0.1", 0, "127.0.0.1", remotePort, (error, channel) => {
        if (error !== undefined) {
          socket.destroy();
          return;
        }
        channel.on("error", () => undefined);
        socket.pipe(channel).pipe(socket);
        socket.on("close", () => channel.destroy());
      });
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", resolve);
    });
    return { port: (server.address() as AddressInfo).port, close: () => server.close() };
  }

  /** Ends the connection. */
  close(): void {
    this.#open = false;
    this.#client.end();
    this.#client.destroy();
  }
}

class Output {
  readonly #chunks: Buffer[] = [];
  #size = 0;

  add(chunk: Buffer): void {
    if (this.#size < maxOutput) this.#chunks.push(chunk.subarray(0, maxOutput - this.#size));
    this.#size += chunk.length;
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString("utf8");
  }
}
