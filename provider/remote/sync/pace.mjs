// How many requests are under way at once. S3 wants many (CRT counts 0.4 Gbit/s a connection), and fewer after a 503.

/** Seconds of calm after which more lanes are tried again. */
const calmMs = 5000;
/** A step up is worth keeping from this gain on. */
const gain = 1.05;
const step = 8;
const fewest = 2;

export class Pace {
  #rate = 0;
  #before = 0;
  #troubleAt = -Infinity;
  #settled = false;

  /** @param start lanes at the start; @param most lanes at most */
  constructor(start, most) {
    this.most = most;
    this.target = Math.min(start, most);
  }

  /** The server asks for less. Many lanes hear it at once: it counts once a second. */
  slowDown(now) {
    if (now - this.#troubleAt > 1000) this.target = Math.max(fewest, this.target >> 1);
    this.#troubleAt = now;
    this.#settled = false;
  }

  /** Once every two seconds, with the bytes received until now: more lanes while they bring more. */
  tick(received, seconds, now) {
    const rate = (received - this.#before) / seconds;
    this.#before = received;
    if (now - this.#troubleAt < calmMs || this.#settled) return;
    if (rate > this.#rate * gain) {
      this.#rate = rate;
      this.target = Math.min(this.most, this.target + step);
    } else this.#settled = true;
  }
}
