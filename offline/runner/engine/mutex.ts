/** Runs tasks one after the other. */
export class Mutex {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs a task when all earlier ones ended, however they ended. */
  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task, task);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
