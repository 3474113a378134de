/** One finished step of the demo. */
export interface StepRecord {
  readonly name: string;
  readonly seconds: number;
}

/** Tells the demo's story: titles, steps with their times, and lines, on any text sink. */
export class Narrator {
  readonly steps: StepRecord[] = [];
  readonly #write: (text: string) => void;
  readonly #started = performance.now();

  /** @param write takes whole lines; standard error under `--json`, else standard output */
  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** Seconds since the story began. */
  get seconds(): number {
    return (performance.now() - this.#started) / 1000;
  }

  /** A heading with an empty line before it. */
  title(text: string): void {
    this.#write(`\n${text}\n${"-".repeat(text.length)}\n`);
  }

  /** Indented lines; a text of several lines is indented as a whole. */
  say(text: string): void {
    for (const line of text.split("\n")) this.#write(line === "" ? "\n" : `  ${line}\n`);
  }

  /** Runs the work, then says that it is done and how long it took; a failure is said, and thrown on. */
  async step<T>(name: string, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    try {
      const result = await work();
      const seconds = (performance.now() - started) / 1000;
      this.steps.push({ name, seconds });
      this.say(`${name.padEnd(58, " ")} ${seconds.toFixed(1).padStart(6)} s`);
      return result;
    } catch (error) {
      const seconds = (performance.now() - started) / 1000;
      this.say(`${name.padEnd(58, " ")} ${seconds.toFixed(1).padStart(6)} s  FAILED`);
      throw error;
    }
  }
}
