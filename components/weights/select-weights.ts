import { manifestName } from "./manifest.ts";

/** An object under the prefix, by its path below it. */
export interface WeightsPath {
  readonly path: string;
}

/** Which of a prefix's objects to bring. */
export interface WeightsSelection {
  /**
   * Only these: patterns with `*` for anything but a slash and `**` for anything. A pattern without a slash is held against
   * the file's name, any other against its whole path. @default all
   */
  readonly include?: readonly string[] | undefined;
  /** Not these; wins over `include`. @default none */
  readonly exclude?: readonly string[] | undefined;
}

/** Pickled and converted copies that a repository keeps beside its safetensors, and that no engine here reads. */
const copies = /\.(bin|pt|pth|ckpt|h5|msgpack|ot|onnx|onnx_data)$/;

function matcher(pattern: string): (path: string) => boolean {
  const source = pattern
    .split(/(\*\*|\*)/)
    .map((part) =>
      part === "**" ? ".*" : part === "*" ? "[^/]*" : part.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&"),
    )
    .join("");
  const expression = new RegExp(`^${source}$`);
  if (pattern.includes("/")) return (path) => expression.test(path);
  return (path) => expression.test(path.slice(path.lastIndexOf("/") + 1));
}

function matchesAny(patterns: readonly string[], path: string): boolean {
  return patterns.some((pattern) => matcher(pattern)(path));
}

/**
 * The objects that a host needs. Where a prefix has safetensors, copies in other forms stay behind (Llama's `original/`
 * doubles the bytes), and of two sets of safetensors (`model-*` and Mistral's `consolidated*`) the first counts; what
 * `include` names comes in any case. The manifest of a push stays behind too.
 */
export function selectWeights<Each extends WeightsPath>(
  objects: readonly Each[],
  { include, exclude = [] }: WeightsSelection,
): readonly Each[] {
  const names = objects.map(({ path }) => path);
  const sharded = names.some((path) => /^model.*\.safetensors$/.test(path));
  const safetensors = names.some((path) => path.endsWith(".safetensors"));
  const isCopy = (path: string): boolean =>
    (safetensors && copies.test(path)) || (sharded && /^consolidated.*\.safetensors$/.test(path));
  return objects.filter(({ path }) => {
    // What a push writes for the next one is no part of the model, and changes while a push runs.
    if (path === manifestName || matchesAny(exclude, path)) return false;
    return include === undefined ? !isCopy(path) : matchesAny(include, path);
  });
}
