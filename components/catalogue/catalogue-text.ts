import type { Catalogue } from "./catalogue.ts";
import { taskArchitectures } from "./task-architecture.ts";
import type { Model } from "./model.ts";
import type { Source } from "./source.ts";

/** Which models to list; a limit that is left out holds none back. */
export interface ModelFilter {
  readonly task?: string | undefined;
  /** Part of the family's name, in any case. */
  readonly family?: string | undefined;
  /** Size of the files at most. */
  readonly maxGiB?: number | undefined;
}

/** Models that pass, in the order of the catalogue. One whose size is not known does not pass a limit on it. */
export function filterModels(catalogue: Catalogue, filter: ModelFilter): readonly Model[] {
  const { task, family, maxGiB } = filter;
  return catalogue.models.filter(
    (model) =>
      (task === undefined || model.task === task) &&
      (family === undefined || model.family.toLowerCase().includes(family.toLowerCase())) &&
      (maxGiB === undefined || (model.weightsGiB ?? Infinity) <= maxGiB),
  );
}

function billions(parameters: number | undefined): string {
  if (parameters === undefined) return "?";
  return parameters < 1e9
    ? `${Math.round(parameters / 1e6)} M`
    : `${(parameters / 1e9).toFixed(1)} B`;
}

function gatingOf({ gated, huggingfaceRepo }: Model): readonly string[] {
  if (gated !== undefined) return gated ? ["gated"] : [];
  return huggingfaceRepo === undefined
    ? ["gating not known"]
    : ["counts as gated, for no source says"];
}

function modelLine(model: Model): string {
  const { id, weightsGiB, parameters, licence, nativePrecision } = model;
  const size = weightsGiB === undefined ? "?" : weightsGiB.toFixed(1);
  const note = [nativePrecision, licence ?? "licence unknown", ...gatingOf(model)];
  return `${id.padEnd(32)} ${billions(parameters).padStart(8)} ${size.padStart(7)} GiB  ${note.join(", ")}`;
}

/** The list as a person reads it: for each task what kind of network it asks for, then its models. */
export function listLines(catalogue: Catalogue, models: readonly Model[]): readonly string[] {
  const sections = taskArchitectures.flatMap(({ task, architecture, why }) => {
    const own = models.filter((model) => model.task === task);
    return own.length === 0 ? [] : [`${task}: ${architecture}; ${why}.`, ...own.map(modelLine), ""];
  });
  return [...sections, `${models.length} models; catalogue of ${catalogue.version}`];
}

/** Where the licence of the model and its text were read. */
function licenceSources(names: string, sources: readonly Source[]): readonly string[] {
  const named = new Set(names.split(";"));
  return sources
    .filter(({ name }) => named.has(name))
    .map(({ where, asOf }) => `           read in ${where} (${asOf})`);
}

function licenceLines(
  model: Model,
  { licences }: Catalogue,
  sources: readonly Source[],
): readonly string[] {
  const known = licences.find(({ name }) => name === model.licence);
  const use = {
    yes: "commercial use",
    no: "no commercial use",
    conditional: "commercial use on conditions",
  };
  const allowed =
    model.commercialUse === undefined ? "commercial use not reviewed" : use[model.commercialUse];
  const gate = gatingOf(model).map((word) => `, ${word}`);
  const first = `licence    ${model.licence ?? "not known"}${gate.join("")}: ${allowed}`;
  const terms =
    known === undefined
      ? []
      : [`           ${known.terms}`, `           ${known.title}: ${known.url}`];
  const { licenceSource = "" } = model;
  return [first, ...terms, ...licenceSources(`${licenceSource};${known?.source ?? ""}`, sources)];
}

function cacheLine(model: Model): string {
  const { kvType, kvBytesPerToken, kvGlobalLayers = 0, kvLocalLayers = 0, kvWindowTokens } = model;
  if (kvBytesPerToken === undefined) return "cache      not known, or none";
  const window =
    kvWindowTokens === undefined
      ? ""
      : `; ${model.kvLocalBytesPerToken ?? 0} bytes a token up to ${kvWindowTokens} tokens in ${kvLocalLayers} layers`;
  return `cache      ${kvType ?? "?"}: ${kvBytesPerToken} bytes a token in ${kvGlobalLayers} layers (16 bit)${window}`;
}

function shapeLines(model: Model): readonly string[] {
  const { layers, hiddenSize, attentionHeads, kvHeads, headDimension, experts, components } = model;
  const shape =
    layers === undefined
      ? []
      : [
          `shape      ${layers} layers of ${hiddenSize ?? "?"}, ${attentionHeads ?? "?"} heads of ${headDimension ?? "?"}, ${kvHeads ?? "?"} of them for keys and values`,
          cacheLine(model),
        ];
  const mixture =
    experts === undefined
      ? []
      : [
          `experts    ${experts.count} of width ${experts.intermediateSize}, ${experts.perToken} for each token, in ${experts.layers} layers`,
        ];
  const parts = (components ?? []).map(
    ({ name, parameters }) => `part       ${name}: ${billions(parameters)}`,
  );
  return [...shape, ...mixture, ...parts];
}

function variantText({ id, maxContextTokens }: NonNullable<Model["variants"]>[number]): string {
  return maxContextTokens === undefined ? id : `${id} (${maxContextTokens} tokens at most)`;
}

/** One model as a person reads it: size, shape, cache, licence and where the figures are from. */
export function modelLines(
  model: Model,
  catalogue: Catalogue,
  sources: readonly Source[],
): readonly string[] {
  const { parameters, activeParameters, weightsGiB, maxContextTokens, variants = [] } = model;
  const active =
    activeParameters === undefined ? "" : `, ${billions(activeParameters)} for each token`;
  const advice = taskArchitectures.find(({ task }) => task === model.task);
  return [
    `model      ${model.id}${model.huggingfaceRepo === undefined ? "" : ` (https://huggingface.co/${model.huggingfaceRepo})`}`,
    `task       ${model.task}: ${advice?.architecture ?? ""}; here ${model.architecture}`,
    `size       ${billions(parameters)} parameters${active} (${model.parametersBasis ?? "not known how"}); ` +
      `${weightsGiB === undefined ? "files of unknown size" : `${weightsGiB} GiB of files`} in ${model.nativePrecision}`,
    ...(maxContextTokens === undefined ? [] : [`context    ${maxContextTokens} tokens at most`]),
    ...shapeLines(model),
    ...licenceLines(model, catalogue, sources),
    ...(variants.length === 0 ? [] : [`also as    ${variants.map(variantText).join(", ")}`]),
    ...[model.kvNotes, model.notes].flatMap((note) =>
      note === undefined ? [] : [`note       ${note}`],
    ),
    `source     ${model.source} (confidence ${model.confidence})`,
  ];
}
