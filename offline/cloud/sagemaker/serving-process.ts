import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../free-port.ts";
import { groupMemoryMiB } from "./process-memory.ts";

/** What a container is started with. */
export interface ServingStart {
  /** What stands for the image: a program and its arguments. */
  readonly command: readonly [string, ...string[]];
  readonly environment: Readonly<Record<string, string>>;
  /** Stands for `/opt/ml/model`. */
  readonly modelFolder: string;
  /** Told every line that it writes. */
  readonly log: (line: string) => void;
  /** More than that, and it is ended. @default what the machine has */
  readonly memoryMiB?: number | undefined;
}

/** Ends the program, and all that it started, with its owner: standard input closes when that dies, however it does. */
const wrapper =
  'exec 3<&0; "$@" 3<&- </dev/null & child=$!; { cat <&3 >/dev/null; kill -9 0; } & wait $child';

const pingPauseMs = 100;
const memoryPauseMs = 100;

/**
 * A container of an endpoint, as a process of this machine that keeps to SageMaker's contract
 * (https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html): it answers `GET /ping` and
 * `POST /invocations` on the port of `SAGEMAKER_BIND_TO_PORT`, and finds the model in the folder of `SM_MODEL_DIR`.
 */
export class ServingProcess {
  readonly #child: ChildProcess;
  readonly #port: number;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.#port = port;
  }

  static async start({
    command,
    environment,
    modelFolder,
    log,
    memoryMiB,
  }: ServingStart): Promise<ServingProcess> {
    const port = await freePort();
    const child = spawn("bash", ["--norc", "-c", wrapper, "serve", ...command], {
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
      env: {
        PATH: process.env["PATH"] ?? "/usr/bin:/bin",
        ...environment,
        SM_MODEL_DIR: modelFolder,
        SAGEMAKER_BIND_TO_PORT: String(port),
      },
    });
    child.stdin.on("error", () => undefined);
    for (const stream of [child.stdout, child.stderr] as Readable[]) {
      createInterface({ input: stream }).on("line", log);
    }
    const started = new ServingProcess(child, port);
    if (memoryMiB !== undefined) started.#limit(memoryMiB, log);
    return started;
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Asks for its health until it is well; false when it ended, or `mayWait` says no. */
  async well(mayWait: () => boolean): Promise<boolean> {
    while (!this.ended && mayWait()) {
      const answer = await fetch(`http://127.0.0.1:${this.#port}/ping`, {
        signal: AbortSignal.timeout(2000),
      }).catch(() => undefined);
      await answer?.body?.cancel();
      if (answer?.status === 200) return true;
      await sleep(pingPauseMs);
    }
    return false;
  }

  /** Passes a request on; throws when nothing answers, or the signal fires before it does. */
  invoke(
    body: Buffer,
    headers: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.#port}/invocations`, {
      method: "POST",
      headers,
      ...(signal === undefined ? {} : { signal }),
      body: new Uint8Array(body),
    });
  }

  async stop(): Promise<void> {
    if (this.ended) return;
    const ended = once(this.#child, "exit");
    this.#kill();
    await ended;
  }

  #kill(): void {
    try {
      process.kill(-(this.#child.pid ?? 0), "SIGKILL");
    } catch {
      // It ended by itself meanwhile.
    }
  }

  /** Ends it when it takes more memory than it has, as the system does that it stands for. */
  #limit(memoryMiB: number, log: (line: string) => void): void {
    const timer = setInterval(() => {
      void groupMemoryMiB(this.#child.pid ?? 0).then((heldMiB) => {
        if (heldMiB <= memoryMiB || this.ended) return;
        log(`Out of memory: the container took ${Math.ceil(heldMiB)} of ${memoryMiB} MiB`);
        this.#kill();
      });
    }, memoryPauseMs);
    timer.unref();
    this.#child.once("exit", () => {
      clearInterval(timer);
    });
  }
}
