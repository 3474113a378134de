import { createHash } from "node:crypto";

/** An earlier sample that says the same, by the number of its line. */
export interface Duplicate {
  readonly of: number;
  readonly kind: "exact" | "near";
}

const firstSlots = 1 << 16;

/** Lines by a hash of 53 bits: 12 bytes an entry at most half full, so 10 million samples take 400 MB at the most. */
class LineTable {
  #hashes = new Float64Array(firstSlots);
  #lines = new Uint32Array(firstSlots);
  #count = 0;

  /** The line that has the hash; when there is none, this one has it from now on. */
  findOrAdd(hash: number, line: number): number | undefined {
    if (this.#count * 2 >= this.#lines.length) this.#grow();
    const slot = this.#slotOf(hash);
    if (this.#lines[slot] !== 0) return this.#lines[slot];
    this.#hashes[slot] = hash;
    this.#lines[slot] = line;
    this.#count += 1;
    return undefined;
  }

  #slotOf(hash: number): number {
    const slots = this.#lines.length;
    let slot = hash % slots;
    while (this.#lines[slot] !== 0 && this.#hashes[slot] !== hash) slot = (slot + 1) % slots;
    return slot;
  }

  #grow(): void {
    const [hashes, lines] = [this.#hashes, this.#lines];
    this.#hashes = new Float64Array(hashes.length * 2);
    this.#lines = new Uint32Array(lines.length * 2);
    for (const [index, line] of lines.entries()) {
      if (line === 0) continue;
      const hash = hashes[index] ?? 0;
      const slot = this.#slotOf(hash);
      this.#hashes[slot] = hash;
      this.#lines[slot] = line;
    }
  }
}

/** 53 bits of SHA-256, as a number. */
export function contentHash(text: string): number {
  const digest = createHash("sha256").update(text).digest();
  return digest.readUIntBE(0, 6) * 32 + ((digest[6] ?? 0) & 31);
}

const bins = 32;
const bands = 8;
const rows = bins / bands;
const shingleWords = 3;
/** Runs of words that are kept of a text: all of a short one, the smallest hashes of a longer one. */
const sketchSize = 48;
/** Share of runs in common from which two texts are near: one word of a sentence of 24 changes three runs of 22. */
const nearShare = 0.7;
/** Samples that are compared for nearness: their sketches take up to 192 bytes each. */
export const nearLimit = 400_000;
const bandSlots = 1 << 20;
const none = 0xffffffff;

function wordHash(word: string): number {
  // FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/).
  let hash = 0x811c9dc5;
  for (let i = 0; i < word.length; i += 1) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** MurmurHash3's last step, which spreads every bit. */
function spread(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Hashes of the runs of three words, each once, smallest first; undefined below eight words, where a run says too little. */
function shinglesOf(text: string): Uint32Array | undefined {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  if (words.length < 8) return undefined;
  const hashes = words.map(wordHash);
  const shingles = new Set<number>();
  for (let i = 0; i + shingleWords <= hashes.length; i += 1) {
    const [one = 0, two = 0, three = 0] = hashes.slice(i, i + shingleWords);
    shingles.add(spread(one ^ Math.imul(two, 0x9e3779b1) ^ Math.imul(three, 0x85ebca77)));
  }
  return new Uint32Array(shingles).sort();
}

/** One-permutation MinHash, empty bins filled from the next full one (https://arxiv.org/abs/1406.4784): finds candidates. */
function signatureOf(shingles: Uint32Array): Uint32Array {
  const full = new Uint32Array(bins).fill(none);
  for (const hash of shingles) {
    const bin = hash % bins;
    if (hash < (full[bin] ?? 0)) full[bin] = hash;
  }
  return full.map((value, bin) => {
    let step = 0;
    while (full[(bin + step) % bins] === none && step < bins) step += 1;
    return step === 0 ? value : ((full[(bin + step) % bins] ?? 0) + step * 0x61c88647) >>> 0;
  });
}

/** Share of runs that two texts have in common, by the smallest of both together: exact for short ones. */
function commonShare(one: Uint32Array, other: Uint32Array): number {
  let [i, j, seen, common] = [0, 0, 0, 0];
  while (seen < sketchSize && (i < one.length || j < other.length)) {
    const [left, right] = [one[i] ?? none, other[j] ?? none];
    if (left === right) common += 1;
    if (left <= right) i += 1;
    if (right <= left) j += 1;
    seen += 1;
  }
  return common / seen;
}

/** Finds samples that say again what an earlier one said, in bounded memory. */
export class DuplicateFinder {
  readonly #exact = new LineTable();
  readonly #bands = Array.from({ length: bands }, () => new Uint32Array(bandSlots));
  readonly #sketches: Uint32Array[] = [];
  readonly #lines: number[] = [];

  /** Samples that were not compared for nearness, since there were too many before them. */
  notCompared = 0;

  /** The earlier sample that this one repeats; undefined when it is new. */
  find(text: string, line: number): Duplicate | undefined {
    const exact = this.#exact.findOrAdd(contentHash(text), line);
    if (exact !== undefined) return { of: exact, kind: "exact" };
    if (this.#sketches.length >= nearLimit) {
      this.notCompared += 1;
      return undefined;
    }
    const shingles = shinglesOf(text);
    return shingles === undefined ? undefined : this.#near(shingles, line);
  }

  #near(shingles: Uint32Array, line: number): Duplicate | undefined {
    const index = this.#sketches.length;
    const sketch = shingles.slice(0, sketchSize);
    const signature = signatureOf(shingles);
    let of: number | undefined;
    for (const [band, slots] of this.#bands.entries()) {
      let hash = band;
      for (const value of signature.subarray(band * rows, (band + 1) * rows)) {
        hash = spread(hash ^ value);
      }
      const slot = hash % bandSlots;
      const other = this.#sketches[(slots[slot] ?? 0) - 1];
      if (other === undefined) slots[slot] = index + 1;
      else if (of === undefined && commonShare(other, sketch) >= nearShare) {
        of = this.#lines[(slots[slot] ?? 0) - 1];
      }
    }
    this.#sketches.push(sketch);
    this.#lines.push(line);
    return of === undefined ? undefined : { of, kind: "near" };
  }
}
