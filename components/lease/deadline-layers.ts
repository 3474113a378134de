/** One place that knows a deployment's deadline and acts on it. */
export interface DeadlineLayer {
  /** As a person knows it: "the host's own timer". */
  readonly name: string;
  /** The deadline that it holds, RFC 3339; empty means none, undefined that it is not there. */
  readonly read: () => Promise<string | undefined>;
  /** Sets it; the same value again changes nothing. */
  readonly write: (expiresAt: string) => Promise<void>;
}

/** A deadline that could not be moved. */
export class DeadlineError extends Error {
  override readonly name = "DeadlineError";
  /** What refused. */
  readonly layer: string;
  /** Layers that hold the new deadline although the old one was to be kept, with the reason for each. */
  readonly stuck: readonly string[];

  constructor(layer: string, cause: unknown, stuck: readonly string[]) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`${layer}: ${why}`, { cause });
    this.layer = layer;
    this.stuck = stuck;
  }
}

/** What of a move was done. */
export interface DeadlineMove {
  readonly from: string;
  readonly to: string;
  /** Layers that hold the new deadline, in the order in which they were written. */
  readonly written: readonly string[];
}

/**
 * Gives every layer the new deadline, or none. Layers are written in order, and put back in the opposite one when a later
 * one refuses, each with the deadline that it held before.
 *
 * @throws DeadlineError naming the layer that refused, and those that could not be put back
 */
export async function moveDeadline(
  layers: readonly DeadlineLayer[],
  from: string,
  to: string,
): Promise<DeadlineMove> {
  const before = new Map<DeadlineLayer, string | undefined>();
  for (const layer of layers) {
    // Read first of all: what cannot be read could not be put back either.
    before.set(layer, await attempt(layer, layer.read, []));
  }
  const written: DeadlineLayer[] = [];
  for (const layer of layers) {
    if (before.get(layer) === undefined) continue;
    try {
      await layer.write(to);
      written.push(layer);
    } catch (error) {
      // It may have been written all the same: an answer can be lost.
      const stuck = await putBack([...written, layer].toReversed(), before);
      throw new DeadlineError(layer.name, error, stuck);
    }
  }
  return { from, to, written: written.map(({ name }) => name) };
}

async function attempt<T>(
  layer: DeadlineLayer,
  work: () => Promise<T>,
  stuck: readonly string[],
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new DeadlineError(layer.name, error, stuck);
  }
}

async function putBack(
  layers: readonly DeadlineLayer[],
  before: ReadonlyMap<DeadlineLayer, string | undefined>,
): Promise<readonly string[]> {
  const stuck: string[] = [];
  for (const layer of layers) {
    try {
      await layer.write(before.get(layer) ?? "");
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      stuck.push(`${layer.name}: ${why}`);
    }
  }
  return stuck;
}
