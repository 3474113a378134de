/** Larger than any dimension of a model, and small enough that products of a few stay exact. */
const largest = 2 ** 40;

function shown(value: unknown): string {
  // Whole lists and objects may be nested deeper than a stack goes.
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  const text = typeof value === "number" ? String(value) : JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)}...` : text;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Reads the fields of one JSON object that somebody else wrote. A field may have several names; null is as good as absent.
 * What is wrong is collected in `problems`, each with file and field, and a harmless value is given back, so that all of it
 * comes out at once.
 */
export class ConfigFields {
  readonly place: string;
  readonly problems: string[];
  private readonly values: Readonly<Record<string, unknown>>;

  constructor(place: string, value: unknown, problems: string[]) {
    this.place = place;
    this.problems = problems;
    this.values = isRecord(value) ? value : {};
    if (!isRecord(value)) problems.push(`${place}: is ${shown(value)}, not a JSON object`);
  }

  private find(names: readonly string[]): { name: string; value: unknown } | undefined {
    const name = names.find(
      (known) => this.values[known] !== undefined && this.values[known] !== null,
    );
    return name === undefined ? undefined : { name, value: this.values[name] };
  }

  has(...names: readonly string[]): boolean {
    return this.find(names) !== undefined;
  }

  /** A whole number above zero under the first of the names that is there. */
  count(...names: readonly string[]): number | undefined {
    const found = this.find(names);
    if (found === undefined) return undefined;
    const { name, value } = found;
    if (typeof value === "number" && Number.isInteger(value) && value > 0 && value <= largest) {
      return value;
    }
    this.problems.push(`${this.place}: ${name}: is ${shown(value)}, not a whole number above 0`);
    return 1;
  }

  /** The same, and a problem when it is nowhere. */
  neededCount(...names: readonly string[]): number {
    const found = this.count(...names);
    if (found === undefined) this.problems.push(`${this.place}: ${names.join(" or ")}: is missing`);
    return found ?? 1;
  }

  /** A whole number, zero included. */
  countOrZero(...names: readonly string[]): number | undefined {
    const found = this.find(names);
    return found?.value === 0 ? 0 : this.count(...names);
  }

  flag(...names: readonly string[]): boolean | undefined {
    const found = this.find(names);
    if (found === undefined) return undefined;
    if (typeof found.value === "boolean") return found.value;
    this.problems.push(`${this.place}: ${found.name}: is ${shown(found.value)}, not true or false`);
    return undefined;
  }

  text(...names: readonly string[]): string | undefined {
    const found = this.find(names);
    if (found === undefined) return undefined;
    if (typeof found.value === "string") return found.value;
    this.problems.push(`${this.place}: ${found.name}: is ${shown(found.value)}, not a text`);
    return undefined;
  }

  /** A list of texts; "quiet" where something else there is no mistake. */
  texts(name: string, wrong: "quiet" | "problem" = "problem"): readonly string[] | undefined {
    const value = this.find([name])?.value;
    if (value === undefined) return undefined;
    if (Array.isArray(value) && value.every((entry) => typeof entry === "string")) return value;
    if (wrong === "problem") {
      this.problems.push(`${this.place}: ${name}: is ${shown(value)}, not a list of texts`);
    }
    return undefined;
  }

  /** A list of whole numbers, zeros included; undefined where it is no list. */
  counts(name: string): readonly number[] | undefined {
    const value = this.find([name])?.value;
    if (!Array.isArray(value)) return undefined;
    const numbers = value.filter(
      (entry): entry is number => Number.isInteger(entry) && entry >= 0 && entry <= largest,
    );
    if (numbers.length === value.length) return numbers;
    this.problems.push(`${this.place}: ${name}: is ${shown(value)}, not a list of whole numbers`);
    return numbers;
  }

  /** All names of the object. */
  names(): readonly string[] {
    return Object.keys(this.values);
  }

  /** Length of a list, whatever it holds. */
  listLength(name: string): number | undefined {
    const value = this.find([name])?.value;
    return Array.isArray(value) ? value.length : undefined;
  }

  section(...names: readonly string[]): ConfigFields | undefined {
    const found = this.find(names);
    if (found === undefined) return undefined;
    return new ConfigFields(`${this.place}: ${found.name}`, found.value, this.problems);
  }

  problem(text: string): void {
    this.problems.push(`${this.place}: ${text}`);
  }
}
