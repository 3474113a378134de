import { stat } from "node:fs/promises";
import type { GgufFiles } from "../../components/catalogue/from-config/model-files.ts";
import { UserError } from "../../components/user-error.ts";

/** Files of a split GGUF, `name-00001-of-00003.gguf`, or the one file. */
function parts(path: string): { readonly paths: readonly string[]; readonly stem: string } {
  const match = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/.exec(path);
  const [, stem = path.replace(/\.gguf$/i, ""), , total = "1"] = match ?? [];
  if (match === null) return { paths: [path], stem };
  const count = Math.min(Number(total), 1000);
  const name = (part: number): string =>
    `${stem}-${String(part).padStart(5, "0")}-of-${total}.gguf`;
  return { paths: Array.from({ length: count }, (_, index) => name(index + 1)), stem };
}

async function readPart(path: string) {
  // Loaded only when there is a GGUF file, for it brings tables of its own.
  const { gguf } = await import("@huggingface/gguf");
  try {
    const { size } = await stat(path);
    const options = { allowLocalFile: true, computeParametersCount: true } as const;
    const { metadata, tensorInfos, tensorDataOffset } = await gguf(path, options);
    // The parser takes what lies beyond the end for zeros.
    const beyond = tensorInfos.some(
      ({ name, offset }) => name === "" || tensorDataOffset + offset > BigInt(size),
    );
    if (beyond || tensorDataOffset > BigInt(size)) {
      throw new Error(`it is cut off: it has ${size} bytes, and lists tensors beyond them`);
    }
    return { size, metadata, tensorInfos };
  } catch (error) {
    throw new UserError(`${path} cannot be read as a GGUF file.`, {
      problems: [error instanceof Error ? error.message : String(error)],
      hint: "Give a whole file; all parts of a split one have to lie beside each other.",
      cause: error,
    });
  }
}

/**
 * Reads the head of a GGUF file; of a split one, of all its parts.
 *
 * @throws UserError when a part is missing, cut off or not a GGUF file
 */
export async function readGguf(path: string): Promise<GgufFiles> {
  const { paths, stem } = parts(path);
  const first = await readPart(paths[0] ?? path);
  const read = [first];
  for (const part of paths.slice(1)) read.push(await readPart(part));
  return {
    kind: "gguf",
    place: path,
    name: stem.split("/").at(-1) ?? stem,
    metadata: { ...first.metadata },
    tensors: read
      .flatMap(({ tensorInfos }) => tensorInfos)
      .map(({ name, shape, dtype }) => ({ name, shape: shape.map(Number), type: dtype })),
    bytes: read.reduce((sum, { size }) => sum + size, 0),
  };
}
