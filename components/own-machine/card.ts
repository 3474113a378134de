import { UserError } from "../user-error.ts";
import cards from "./data/cards.json" with { type: "json" };

/** A GPU that somebody owns. */
export interface OwnGpu {
  readonly name: string;
  /** What can be used of its memory, MiB. */
  readonly usableMiB: number;
  /** Board power, watts; undefined where the card is not in the table. */
  readonly powerWatts: number | undefined;
  /** Price at its release, USD; undefined where the card is not in the table. */
  readonly listPriceUsd: number | undefined;
  /** CUDA's, such as "8.6"; undefined where the card is not in the table. */
  readonly computeCapability: string | undefined;
}

/** A card of the table, in one of its sizes. */
export type KnownCard = OwnGpu & { readonly listPriceUsd: number; readonly powerWatts: number };

/**
 * Of the GB on the box, what nvidia-smi reports: 24 GB cards show 24,564 MiB or 23.55 to 23.58 GiB to programs (vLLM
 * issues), and a desktop takes some more; 2 % is left for both.
 */
const usableShare = 0.98;

/** The source of the table, and when it was read. */
export const cardsSource = `${cards.source}, ${cards.collectedAt}`;

function plain(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/nvidia|geforce|tesla|quadro|laptop gpu/g, "")
    .replaceAll(/[^a-z0-9]/g, "");
}

/** Every card of the table in each of its sizes. */
export function knownCards(): readonly KnownCard[] {
  return cards.rows.flatMap(({ name, memoryGB, powerWatts, listPriceUsd, computeCapability }) =>
    memoryGB.map((size) => ({
      name: `${name} ${size}GB`,
      usableMiB: size * 1024 * usableShare,
      powerWatts,
      listPriceUsd,
      computeCapability,
    })),
  );
}

interface Wish {
  readonly count: number;
  readonly name: string;
  readonly memoryGB: number | undefined;
}

/** "2 x RTX 3090 24GB": a count, a name and a size, of which only the name has to be there. */
function parseWish(text: string): Wish | undefined {
  const match = /^\s*(?:(\d{1,2})\s*[x*]\s*)?(\S.*?)(?:\s+(\d+(?:\.\d+)?)\s*G(?:i)?B)?\s*$/i.exec(
    text,
  );
  if (match === null) return undefined;
  const [, count, name = "", memory] = match;
  return {
    count: count === undefined ? 1 : Number(count),
    name,
    memoryGB: memory === undefined ? undefined : Number(memory),
  };
}

type CardRow = (typeof cards.rows)[number];

/** The memory that is meant, GB; text says what to write instead. */
function memoryOf({ name, memoryGB }: Wish, row: CardRow | undefined): number | string {
  if (memoryGB !== undefined) {
    if (memoryGB > 0 && memoryGB <= 1024) return memoryGB;
    return `"${name}": ${memoryGB} GB is no memory of a GPU`;
  }
  const sizes = row?.memoryGB ?? [];
  const [only, ...others] = sizes;
  if (only === undefined) {
    return `"${name}" is not in the table; write its memory behind the name: "${name} 24GB"`;
  }
  if (others.length === 0) return only;
  return `"${name}" comes with ${sizes.join(" or ")} GB; write which: "${name} ${others.at(-1) ?? only}GB"`;
}

function rowOf(name: string): CardRow | undefined {
  return cards.rows.find((card) => plain(card.name) === plain(name));
}

/** Names of GPUs that have no CUDA: Apple's, AMD's, Intel's. A Tesla M4 is none of them. */
const withoutCuda =
  /\bapple\b|^m[1-9]( (pro|max|ultra))?$|\b(amd|radeon|instinct|ryzen|intel|gaudi)\b|^rx ?\d{3,4}\b|^mi\d{2,3}[a-z]?$|^arc\b/i;

function gpusOf(wish: Wish): readonly OwnGpu[] | string {
  const { count, name } = wish;
  if (count < 1) return `"${name}": the count must be at least 1`;
  const row = rowOf(name);
  if (row === undefined && withoutCuda.test(name)) {
    return `"${name}" has no CUDA, which all that is planned here runs on; docs/guide.md says what runs there`;
  }
  const size = memoryOf(wish, row);
  if (typeof size === "string") return size;
  const gpu: OwnGpu = {
    name: `${row?.name ?? name.trim()} ${size}GB`,
    usableMiB: size * 1024 * usableShare,
    powerWatts: row?.powerWatts,
    listPriceUsd: row?.listPriceUsd,
    computeCapability: row?.computeCapability,
  };
  return Array.from({ length: count }, () => gpu);
}

/**
 * The GPUs that a person names: `RTX 3060 12GB`, `2 x RTX 3090`, or several with commas between.
 *
 * @throws UserError with every part that cannot be read, and what to write instead
 */
export function parseOwnGpus(text: string): readonly OwnGpu[] {
  const read = text.split(",").map((part) => {
    const wish = parseWish(part);
    return wish === undefined ? "a name of a card is missing" : gpusOf(wish);
  });
  const problems = read.filter((part) => typeof part === "string");
  if (problems.length > 0) {
    throw new UserError(`The GPUs "${text}" cannot be read.`, {
      problems: problems.map((problem) => `--gpus: ${problem}`),
      hint: 'Write them like --gpus "RTX 3060 12GB" or --gpus "2 x RTX 3090". A count of cloud GPUs goes to --gpu-count.',
    });
  }
  return read.flatMap((part) => (typeof part === "string" ? [] : part));
}

/**
 * The GPUs that `nvidia-smi --query-gpu=name,memory.total,memory.free --format=csv,noheader,nounits` lists. What is free
 * counts: neither what other programs hold now, nor what the driver keeps for itself (480 MiB of an H100).
 *
 * @throws UserError when it lists none
 */
export function parseNvidiaSmi(output: string): readonly OwnGpu[] {
  const gpus = output.split("\n").flatMap((line) => {
    const [name = "", total, free] = line.split(",").map((field) => field.trim());
    const totalMiB = Number(total);
    if (name === "" || !Number.isFinite(totalMiB) || totalMiB <= 0) return [];
    const freeMiB = Number(free ?? total);
    const row = rowOf(name);
    return [
      {
        name: /\dGB/.test(name) ? name : `${name} ${Math.round(totalMiB / 1024)}GB`,
        usableMiB: Number.isFinite(freeMiB) ? freeMiB : totalMiB,
        powerWatts: row?.powerWatts,
        listPriceUsd: row?.listPriceUsd,
        computeCapability: row?.computeCapability,
      },
    ];
  });
  if (gpus.length === 0) {
    throw new UserError("nvidia-smi lists no GPU on this machine.", {
      hint: 'Name the card instead: --gpus "RTX 3060 12GB".',
    });
  }
  return gpus;
}
