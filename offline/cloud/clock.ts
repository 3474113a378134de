/** The cloud's time: the machine's own, plus what tests have moved it by. */
export class Clock {
  #offset = 0;

  now(): Date {
    return new Date(Date.now() + this.#offset);
  }

  /** Moves the clock to `time`; never back. */
  moveTo(time: Date): void {
    this.#offset = Math.max(this.#offset, time.getTime() - Date.now());
  }
}
