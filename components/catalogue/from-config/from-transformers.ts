import type { Model } from "../model.ts";
import { cacheShape } from "./cache-shape.ts";
import { ConfigFields } from "./config-fields.ts";
import { decoderShape, type DecoderShape } from "./decoder-shape.ts";
import { encoderOf, type Encoder } from "./encoder.ts";
import type { TransformersFiles } from "./model-files.ts";
import { modelId, roundGiB } from "./model-id.ts";
import { decoderParameters } from "./parameter-count.ts";
import { precisionOf, type Precision } from "./quantisation.ts";
import { countTensors } from "./tensors.ts";
import { visionParameters } from "./vision-tower.ts";

interface Sizes {
  readonly parameters: number;
  readonly activeParameters: number | undefined;
  readonly basis: string;
  readonly exact: boolean;
  readonly components: Model["components"];
}

const textSections = ["text_config", "llm_config", "language_config", "text_model_config"] as const;

function languageParameters(shape: DecoderShape, encoder: Encoder | undefined) {
  const counted = decoderParameters(shape);
  if (encoder === undefined) return counted;
  const added =
    encoder.parameters + encoder.extraParameters + shape.layers * encoder.crossParametersPerLayer;
  return { all: counted.all + added, active: counted.active + added };
}

function formulaSizes(
  config: ConfigFields,
  shape: DecoderShape,
  encoder: Encoder | undefined,
): Sizes {
  const { all, active } = languageParameters(shape, encoder);
  const activeParameters = shape.experts === undefined ? undefined : active;
  const vision = config.section("vision_config");
  const audio = config.has("audio_config");
  const modelType = config.text("model_type") ?? "";
  const tower =
    vision === undefined ? undefined : visionParameters(vision, modelType, shape.hiddenSize);
  const exact = shape.knownType && tower?.known !== false && !audio;
  const basis = exact ? "formula-from-config" : "estimate-from-config";
  if (tower === undefined)
    return { parameters: all, activeParameters, basis, exact, components: undefined };
  const components = [
    { name: "language model", role: "language-model", parameters: all },
    { name: "vision encoder", role: "vision-encoder", parameters: tower.encoder },
    { name: "projector", role: "projector", parameters: tower.projector },
  ] as const;
  const parameters = all + tower.encoder + tower.projector;
  return { parameters, activeParameters, basis, exact, components: [...components] };
}

/** Parameters held in fewer bits: the routed experts alone, or every linear layer of the language model. */
function quantisedByFormula(sizes: Sizes, shape: DecoderShape, expertsAlone: boolean): number {
  const { experts, hiddenSize, vocabularySize, tiedEmbeddings, traits } = shape;
  if (expertsAlone && experts !== undefined) {
    const { expertHidden = hiddenSize } = shape;
    const one = traits.mlpMatrices * expertHidden * experts.intermediateSize;
    return experts.layers * experts.count * one;
  }
  const embeddings = vocabularySize * hiddenSize * (tiedEmbeddings ? 1 : 2);
  const language = sizes.components?.[0]?.parameters ?? sizes.parameters;
  return Math.max(0, language - embeddings);
}

function withCount(sizes: Sizes, counted: ReturnType<typeof countTensors>): Sizes {
  return {
    ...sizes,
    parameters: counted.parameters,
    basis: "counted-from-safetensors",
    exact: true,
  };
}

/** Components add up only where the formula agrees with the files. */
function componentsOf(sizes: Sizes, formula: Sizes): Pick<Model, "components"> {
  const { components } = formula;
  return components === undefined || sizes.parameters !== formula.parameters ? {} : { components };
}

interface Measured {
  readonly sizes: Sizes;
  readonly formula: Sizes;
  readonly precision: Precision;
  readonly bytes: number;
  readonly quantisedParameters: number | undefined;
}

function measure(
  files: TransformersFiles,
  formula: Sizes,
  shape: DecoderShape,
  precision: Precision,
): Measured {
  const { quantisation, bytesPerParameter } = precision;
  const { weights } = files;
  if (weights !== undefined) {
    const counted = countTensors(weights.tensors, quantisation?.bits ?? 4, shape.layers);
    const quantisedParameters =
      quantisation === undefined ? undefined : counted.quantisedParameters;
    return {
      sizes: withCount(formula, counted),
      formula,
      precision,
      bytes: weights.bytes,
      quantisedParameters,
    };
  }
  const quantised =
    quantisation === undefined
      ? 0
      : quantisedByFormula(formula, shape, precision.expertsAlone === true);
  const bytes =
    (quantised * (quantisation?.bitsPerWeight ?? 0)) / 8 +
    (formula.parameters - quantised) * bytesPerParameter;
  const quantisedParameters = quantisation === undefined ? undefined : quantised;
  return { sizes: formula, formula, precision, bytes, quantisedParameters };
}

function taskOf(config: ConfigFields, name: string): Model["task"] {
  if (config.has("vision_config", "audio_config", "visual")) return "multimodal";
  return /cod(e|er|ing)\b|starcoder|codellama/i.test(name) ? "code" : "text-generation";
}

function quantisationFields({
  precision,
  quantisedParameters,
}: Measured): Pick<Model, "quantisation"> {
  if (precision.quantisation === undefined) return {};
  return {
    quantisation: {
      ...precision.quantisation,
      ...(quantisedParameters === undefined || quantisedParameters === 0
        ? {}
        : { quantisedParameters }),
    },
  };
}

function shapeFields(shape: DecoderShape, encoder: Encoder | undefined): Partial<Model> {
  const { experts, maxContextTokens, kinds } = shape;
  return {
    layers: shape.layers,
    ...(encoder === undefined ? {} : { encoderLayers: encoder.layers }),
    ...(encoder === undefined && kinds.cross === 0
      ? {}
      : { crossAttentionLayers: encoder === undefined ? kinds.cross : shape.layers }),
    hiddenSize: shape.hiddenSize,
    attentionHeads: shape.attentionHeads,
    kvHeads: shape.kvHeads,
    headDimension: shape.headDimension,
    intermediateSize: experts?.intermediateSize ?? shape.intermediateSize,
    mlpMatrices: shape.traits.mlpMatrices,
    ...(experts === undefined ? {} : { experts }),
    vocabularySize: shape.vocabularySize,
    tiedEmbeddings: shape.tiedEmbeddings,
    ...(maxContextTokens === undefined ? {} : { maxContextTokens }),
  };
}

/**
 * A model from its config.json, and from the headers of its weight files where there are any. What is wrong is added to
 * `problems`, and the result is then of no use.
 */
export function fromTransformers(files: TransformersFiles, problems: string[]): Model {
  const config = new ConfigFields(files.place, files.config, problems);
  const text = config.section(...textSections) ?? config;
  const shape = decoderShape(text);
  const encoder = encoderOf(text);
  const formula = formulaSizes(config, shape, encoder);
  const measured = measure(files, formula, shape, precisionOf(config, text));
  const { sizes, bytes, precision } = measured;
  const architecture = config.texts("architectures")?.[0] ?? shape.modelType;
  return {
    id: modelId(files.name),
    family: files.name,
    task: taskOf(config, files.name),
    architecture,
    ...componentsOf(sizes, formula),
    parameters: Math.round(sizes.parameters),
    parametersBasis: sizes.basis,
    ...(sizes.activeParameters === undefined
      ? {}
      : { activeParameters: Math.round(sizes.activeParameters) }),
    ...shapeFields(shape, encoder),
    nativePrecision: precision.name,
    ...quantisationFields(measured),
    weightsGiB: roundGiB(bytes),
    ...cacheShape(shape),
    confidence: sizes.exact ? (files.weights === undefined ? "medium" : "high") : "low",
    source: files.place,
    ...(shape.knownType
      ? {}
      : {
          notes: `The architecture ${architecture} is not known; it is taken for a Llama of the same shape`,
        }),
  };
}
