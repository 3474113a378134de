/** One place that knows something of a deployment's lease, its deadline or its protection, and acts on it. */
export interface LeaseLayer {
  /** As a person knows it: "the host's own timer". */
  readonly name: string;
  /** What it holds, such as a deadline in RFC 3339 (empty means none); undefined when it is not there. */
  readonly read: () => Promise<string | undefined>;
  /** Sets it; the same value again changes nothing. */
  readonly write: (expiresAt: string) => Promise<void>;
}

/** A rewrite that one layer refused. */
export class LayerError extends Error {
  override readonly name = "LayerError";
  /** What refused. */
  readonly layer: string;
  /** Layers that may hold the new value although the old one was to be kept, with the reason for each. */
  readonly stuck: readonly string[];

  constructor(layer: string, cause: unknown, stuck: readonly string[]) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`${layer}: ${why}`, { cause });
    this.layer = layer;
    this.stuck = stuck;
  }
}

/** What was rewritten. */
export interface LeaseRewrite {
  readonly to: string;
  /** Layers that hold the new value, in the order in which they were written. */
  readonly written: readonly string[];
}

/**
 * Gives every layer the new value, or none. Layers are written in order, and put back in the opposite one when a later one
 * refuses, each with what it held before.
 *
 * @throws LayerError naming the layer that refused, and those that could not be put back
 */
export async function rewriteLayers(
  layers: readonly LeaseLayer[],
  to: string,
): Promise<LeaseRewrite> {
  const before = new Map<LeaseLayer, string | undefined>();
  for (const layer of layers) {
    // Read first of all: what cannot be read could not be put back either.
    before.set(layer, await attempt(layer, layer.read, []));
  }
  const written: LeaseLayer[] = [];
  for (const layer of layers) {
    if (before.get(layer) === undefined) continue;
    try {
      await layer.write(to);
      written.push(layer);
    } catch (error) {
      // It may have been written all the same: an answer can be lost.
      const stuck = await putBack([...written, layer].toReversed(), before);
      throw new LayerError(layer.name, error, stuck);
    }
  }
  return { to, written: written.map(({ name }) => name) };
}

async function attempt<T>(
  layer: LeaseLayer,
  work: () => Promise<T>,
  stuck: readonly string[],
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new LayerError(layer.name, error, stuck);
  }
}

async function putBack(
  layers: readonly LeaseLayer[],
  before: ReadonlyMap<LeaseLayer, string | undefined>,
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
