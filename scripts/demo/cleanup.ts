/** Undoes what was done, last first, exactly once, whoever asks: the end of the story, an error or Ctrl-C. */
export class Cleanup {
  readonly #undo: { readonly name: string; readonly run: () => Promise<void> }[] = [];
  #running: Promise<readonly string[]> | undefined;

  /** Remembers how to undo a thing; call it before the thing is made. */
  add(name: string, run: () => Promise<void>): void {
    this.#undo.push({ name, run });
  }

  /** Undoes everything; a part that fails does not stop the others. @returns what failed, a line each */
  run(): Promise<readonly string[]> {
    this.#running ??= this.#runAll();
    return this.#running;
  }

  async #runAll(): Promise<readonly string[]> {
    const failures: string[] = [];
    for (const { name, run } of this.#undo.toReversed()) {
      try {
        await run();
      } catch (error) {
        failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    return failures;
  }
}
