import type { Model } from "../catalogue/model.ts";
import { UserError } from "../user-error.ts";

type Experts = NonNullable<Model["experts"]>;

/** The figures of a decoder that memory follows from; what the catalogue lacks is derived, and named in `assumed`. */
export interface ModelShape {
  readonly parameters: number;
  readonly layers: number;
  readonly hiddenSize: number;
  readonly attentionHeads: number;
  readonly kvHeads: number;
  readonly headDimension: number;
  /** Width of the feed-forward part that one token goes through in one layer, all its active experts together. */
  readonly intermediateSize: number;
  /** Width of one feed-forward matrix: of an expert in a mixture. */
  readonly matrixSize: number;
  /** Feed-forward parts of one layer: experts, shared ones included; 1 in a dense model. */
  readonly expertCount: number;
  /** As the catalogue has them; undefined for a dense model. */
  readonly experts: Experts | undefined;
  /** Matrices of the feed-forward part: 3 with a gate (SwiGLU, GeGLU), else 2. */
  readonly feedForwardMatrices: 2 | 3;
  readonly vocabularySize: number;
  readonly tiedEmbeddings: boolean;
  /** Names of the figures that are assumptions. */
  readonly assumed: readonly string[];
}

/** Bytes of one parameter in the files, by the catalogue's `nativePrecision`. */
const nativeBytes: readonly (readonly [RegExp, number])[] = [
  [/^fp32/, 4],
  [/^(bf16|fp16)/, 2],
  [/^fp8/, 1],
  [/^int8/, 1],
  [/^(int4|mxfp4|nvfp4)/, 0.55],
];

const gibi = 1024 ** 3;

/** Bytes that one parameter takes in the files of that precision; 2 where the name is not known. */
export function bytesOfNative(nativePrecision: string): number {
  return nativeBytes.find(([name]) => name.test(nativePrecision))?.[1] ?? 2;
}

function unknownFigure(model: Model, what: string): UserError {
  return new UserError(`The catalogue does not know ${what} of ${model.id}.`, {
    hint: "Choose another model, or look for a newer catalogue.",
  });
}

/**
 * Parameters of the model: counted, else by the size of its files.
 *
 * @throws UserError when the catalogue knows neither
 */
export function parametersOf(model: Model): number {
  if (model.parameters !== undefined) return model.parameters;
  if (model.weightsGiB === undefined) throw unknownFigure(model, "the size of the weights");
  return Math.round((model.weightsGiB * gibi) / bytesOfNative(model.nativePrecision));
}

function intermediateOf(model: Model, parameters: number, matrices: number): number {
  const { layers = 1, hiddenSize = 1 } = model;
  const active = model.activeParameters ?? parameters;
  const ofLayer = active / layers - 4 * hiddenSize * hiddenSize;
  return Math.max(2 * hiddenSize, Math.round(ofLayer / (matrices * hiddenSize)));
}

function sharedExperts({ sharedIntermediateSize = 0, intermediateSize }: Experts): number {
  return Math.round(sharedIntermediateSize / intermediateSize);
}

function activeSize(experts: Experts | undefined, dense: number): number {
  if (experts === undefined) return dense;
  const { perToken, intermediateSize, sharedIntermediateSize = 0 } = experts;
  const active = perToken * intermediateSize + sharedIntermediateSize;
  return Math.max(active, experts.denseIntermediateSize ?? 0);
}

/** Shapes by the row that they are of: a search for a layout asks for one thousands of times. */
const known = new WeakMap<Model, ModelShape>();

/**
 * The shape of a text or vision-language model.
 *
 * @throws UserError for an image model, and when layers, width or heads are not known
 */
export function shapeOf(model: Model): ModelShape {
  const shape = known.get(model) ?? makeShape(model);
  known.set(model, shape);
  return shape;
}

function makeShape(model: Model): ModelShape {
  const { layers, hiddenSize, attentionHeads } = model;
  if (model.task === "image-generation") {
    throw new UserError(`${model.id} makes images: it has no layers of tokens.`, {
      hint: "Size it with the engine diffusers.",
    });
  }
  if (layers === undefined || hiddenSize === undefined || attentionHeads === undefined) {
    throw unknownFigure(model, "layers, width or heads");
  }
  const parameters = parametersOf(model);
  const feedForwardMatrices = model.mlpMatrices === 2 ? 2 : 3;
  const { intermediateSize, vocabularySize, parameters: counted, experts } = model;
  const unknown = { intermediateSize, vocabularySize, parameters: counted };
  const dense = intermediateSize ?? intermediateOf(model, parameters, feedForwardMatrices);
  return {
    parameters,
    layers,
    hiddenSize,
    attentionHeads,
    kvHeads: model.kvHeads ?? attentionHeads,
    headDimension: model.headDimension ?? Math.round(hiddenSize / attentionHeads),
    intermediateSize: activeSize(experts, dense),
    matrixSize: experts?.intermediateSize ?? dense,
    experts,
    expertCount: experts === undefined ? 1 : experts.count + sharedExperts(experts),
    feedForwardMatrices,
    vocabularySize: vocabularySize ?? 151_936,
    tiedEmbeddings: model.tiedEmbeddings ?? false,
    assumed: Object.entries(unknown)
      .filter(([, value]) => value === undefined)
      .map(([name]) => name),
  };
}

/** Parameters of embedding and output head, which quantisation leaves in 16 bit. */
export function embeddingParameters(shape: ModelShape): number {
  return shape.vocabularySize * shape.hiddenSize * (shape.tiedEmbeddings ? 1 : 2);
}
