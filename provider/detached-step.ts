import { createHash, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../components/user-error.ts";
import { shellQuote, type Host } from "./adapters/ssh.ts";
import { remoteScript } from "./remote/scripts.ts";

/** A script that runs on the host on its own, whatever becomes of the connection. */
export interface DetachedStep {
  /** Short name, such as `prepare`. */
  readonly name: string;
  /** Bash text. */
  readonly script: string;
  readonly args: readonly string[];
  /** The folder on the host for the logs and states of steps. */
  readonly folder: string;
  readonly timeoutSeconds: number;
  /** A step that writes nothing for so long is stopped: it waits for something that never comes. @default 1200 */
  readonly silenceSeconds?: number | undefined;
  /** Gets each line the step writes. */
  readonly onLine?: ((line: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How a step ended. */
export interface StepResult {
  readonly code: number;
  /** All it wrote, standard output and error together. */
  readonly lines: readonly string[];
  readonly seconds: number;
  /** Where the whole log is on the host. */
  readonly logPath: string;
}

const start = remoteScript("start-step.sh");
const poll = remoteScript("poll-step.sh");
/** A step that vanished (the host rebooted, the kernel killed it) is started again so often. */
const restarts = 2;
const usualSilenceSeconds = 1200;
/** systemd gives a unit 90 s to end, and some units are stopped after others. */
const goingDownSeconds = 240;

interface Progress {
  readonly state: string;
  readonly code: number;
  readonly bytes: number;
  readonly text: string;
}

function parsePoll(output: string): Progress {
  const end = output.indexOf("\n");
  const [state = "gone", code = "-", bytes = "0"] = output.slice(0, end).split(" ");
  return { state, code: Number(code), bytes: Number(bytes), text: output.slice(end + 1) };
}

/** The last lines of a log, for an error's text. */
export function lastLines(lines: readonly string[], count = 12): string {
  return lines
    .filter((line) => !line.startsWith("@") && line.trim() !== "")
    .slice(-count)
    .map((line) => `    ${line}`)
    .join("\n");
}

/**
 * Runs a script detached on the host and follows its log. A lost link, or the death of this process, does not touch it:
 * a later call with the same script and arguments finds it running and follows on.
 *
 * @throws UserError when it takes longer than its time (it is then stopped), or vanished more often than twice
 */
export async function runDetached(host: Host, step: DetachedStep): Promise<StepResult> {
  const identity = createHash("sha256").update(JSON.stringify([step.script, step.args]));
  const folder = `${step.folder}/${step.name}-${identity.digest("hex").slice(0, 12)}`;
  const began = Date.now();
  const deadline = began + step.timeoutSeconds * 1000;
  const lines = new Lines(step.onLine);
  for (let attempt = 0; attempt <= restarts; attempt++) {
    const first = await launch(host, step, folder);
    const end = await follow(host, step, { folder, deadline, lines, first });
    if (end !== "gone") {
      lines.end();
      const seconds = Math.round((Date.now() - began) / 100) / 10;
      return { code: end, lines: lines.all, seconds, logPath: `${folder}/log` };
    }
  }
  throw new UserError(
    `the step \`${step.name}\` was killed on ${host.name} ${restarts + 1} times`,
    {
      problems: lines.all.length === 0 ? [] : [`its last words:\n${lastLines(lines.all)}`],
      hint: `Look for an out-of-memory kill or a reboot: \`sudo dmesg | tail\`; its log is ${folder}/log.`,
    },
  );
}

/** Starts the step, or finds it running, and gives the first look at it, which comes with the same round trip. */
async function launch(host: Host, step: DetachedStep, folder: string): Promise<Progress> {
  const sha256 = createHash("sha256").update(step.script).digest("hex");
  // The command may be sent again where the link is lost under it, and then the step is to run once all the same.
  const words = [folder, sha256, randomUUID(), ...step.args].map(shellQuote).join(" ");
  const look = `bash -c ${shellQuote(poll)} poll ${shellQuote(folder)} 0`;
  const command = `bash -c ${shellQuote(start)} start ${words} && ${look} </dev/null`;
  for (let goingDown = 0; ; goingDown++) {
    const result = await host.run(command, () => ({ timeoutMs: 90_000, stdin: step.script }));
    const [state = "", ...shown] = result.stdout.split("\n");
    if (result.code === 0 && state !== "stopping") return parsePoll(shown.join("\n"));
    if (result.code !== 0 || goingDown >= goingDownSeconds)
      throw new Error(
        `the step \`${step.name}\` could not be started on ${host.name}: ${result.stderr.trim() || "the host is going down"}`,
      );
    step.signal?.throwIfAborted();
    await sleep(1000);
  }
}

interface Following {
  readonly folder: string;
  /** Milliseconds since 1970. */
  readonly deadline: number;
  readonly lines: Lines;
  readonly first: Progress;
}

async function follow(
  host: Host,
  step: DetachedStep,
  { folder, deadline, lines, first }: Following,
): Promise<number | "gone"> {
  const silenceMs = (step.silenceSeconds ?? usualSilenceSeconds) * 1000;
  let offset = 0;
  let heardAt = Date.now();
  for (let progress = first; ;) {
    offset += progress.bytes;
    lines.add(progress.text);
    if (progress.state === "done") return progress.code;
    if (progress.state === "gone") return "gone";
    step.signal?.throwIfAborted();
    if (progress.bytes > 0) heardAt = Date.now();
    const silent = Date.now() > heardAt + silenceMs;
    if (silent || Date.now() > deadline) {
      await host.output(poll, [folder, String(offset), "stop"], 30_000);
      throw overdue(host, step, { silent, folder, lines: lines.all });
    }
    // The host answers when there is something to tell, or after two seconds.
    progress = parsePoll(await host.output(poll, [folder, String(offset)], 30_000));
  }
}

/** The error for a step that was stopped, with its last words. */
function overdue(
  host: Host,
  step: DetachedStep,
  end: { silent: boolean; folder: string; lines: readonly string[] },
): UserError {
  const silence = step.silenceSeconds ?? usualSilenceSeconds;
  const what = end.silent
    ? `said nothing for ${silence} s on ${host.name} (E_NEEDRESTART)`
    : `did not end within ${step.timeoutSeconds} s on ${host.name}`;
  return new UserError(`the step \`${step.name}\` ${what}`, {
    problems: [`its last words:\n${lastLines(end.lines)}`],
    hint: `It was stopped; its log is ${end.folder}/log on the host.`,
  });
}

class Lines {
  readonly all: string[] = [];
  readonly #onLine: ((line: string) => void) | undefined;
  #rest = "";

  constructor(onLine: ((line: string) => void) | undefined) {
    this.#onLine = onLine;
  }

  add(text: string): void {
    const parts = (this.#rest + text).split("\n");
    this.#rest = parts.pop() ?? "";
    for (const line of parts) this.#line(line);
  }

  end(): void {
    if (this.#rest !== "") this.#line(this.#rest);
    this.#rest = "";
  }

  #line(line: string): void {
    this.all.push(line);
    this.#onLine?.(line);
  }
}
