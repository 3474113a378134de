/** What a machine tier is told of the machine to start: what EC2, its metadata service and the host decide. */
export interface MachineSpec {
  readonly instanceId: string;
  readonly hostname: string;
  /** Decoded user data: a `#cloud-config` document or a `#!` script; empty when none was given. */
  readonly userData: string;
  /** OpenSSH public lines of the instance's EC2 key pair. */
  readonly publicKeys: readonly string[];
  /** Path below `http://169.254.169.254/latest/meta-data/` to its text. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The credentials of the instance profile. */
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken: string;
  };
  /** The cloud listens on `127.0.0.1:cloudPort`; inside the machine the same URL has to work. */
  readonly cloudPort: number;
  readonly sshPort: number;
  readonly diskGiB: number;
  /** What an earlier machine's `writeImage` made, to boot from. @default the tier's own system */
  readonly image?: string | undefined;
  readonly gpu:
    { readonly model: string; readonly count: number; readonly memoryMiB: number } | undefined;
  /** Scratch folder of this machine, removed by `terminate()`. */
  readonly folder: string;
  /** How the fakes at the last boundary (kernel, GPU) misbehave. */
  readonly scenario?: Readonly<Record<string, string>>;
}

/** A machine that runs: something to log in to over SSH. */
export interface Machine {
  readonly address: string;
  readonly sshPort: number;
  /** What the machine has written to its console so far. */
  consoleOutput(): string;
  /** Resolves once, when the machine is gone, with the reason. */
  readonly ended: Promise<"poweroff" | "terminated" | "crashed">;
  reboot(): Promise<void>;
  /** Writes what its disk holds to a path from which a later machine of the tier can boot. */
  writeImage(path: string): Promise<void>;
  /** Ends the machine and removes everything of it; may be called again. */
  terminate(): Promise<void>;
}

/** One way to make machines on this host. */
export interface MachineTier {
  readonly name: "nspawn" | "process";
  /** Whether this host allows the tier, and why not. */
  available(): Promise<{ ok: boolean; why: string }>;
  /** Bytes that {@link prepare} still has to write into the user's cache folder; 0 when it is all there. */
  cacheBytes(): Promise<number>;
  /** Builds what machines start from, once, in the user's cache folder. */
  prepare(progress: (line: string) => void): Promise<void>;
  /** Resolves when sshd of the machine answers. */
  start(spec: MachineSpec): Promise<Machine>;
}
