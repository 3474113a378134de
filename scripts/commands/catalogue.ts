import { filterModels, listLines, modelLines } from "../../components/catalogue/catalogue-text.ts";
import { findModel } from "../../components/catalogue/find-model.ts";
import { loadCatalogue } from "../../components/catalogue/load.ts";
import { taskArchitectures } from "../../components/catalogue/task-architecture.ts";
import { UserError } from "../../components/user-error.ts";
import { readModel } from "../adapters/model-folder.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { exitCode } from "../exit-code.ts";

/** Flags of `berth catalogue`. */
export interface CatalogueOptions {
  readonly task?: string;
  readonly family?: string;
  readonly maxGib?: string;
  readonly config?: string;
  readonly region?: readonly string[];
  readonly env?: string;
  readonly dryRun?: boolean;
}

function sizeLimit(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const size = Number(text);
  if (text.trim() !== "" && Number.isFinite(size) && size > 0) return size;
  throw new UserError(`--max-gib: "${text}" is no size.`, {
    hint: "Give a number above 0, such as 24.",
  });
}

function list(options: CatalogueOptions, terminal: Terminal): number {
  const catalogue = loadCatalogue();
  const { task, family } = options;
  const models = filterModels(catalogue, { task, family, maxGiB: sizeLimit(options.maxGib) });
  terminal.say(...listLines(catalogue, models));
  const tasks = taskArchitectures.filter((each) => task === undefined || each.task === task);
  terminal.result({ catalogueVersion: catalogue.version, tasks, models });
  return exitCode.ok;
}

async function show(
  name: string | undefined,
  { config }: CatalogueOptions,
  terminal: Terminal,
): Promise<number> {
  const catalogue = loadCatalogue();
  if (config === undefined && name === undefined) {
    throw new UserError("No model is named.", {
      hint: "berth catalogue show <model>, or --config <path>.",
    });
  }
  const model = config === undefined ? findModel(name ?? "", catalogue) : await readModel(config);
  terminal.say(...modelLines(model, catalogue));
  terminal.result({ catalogueVersion: catalogue.version, model });
  return exitCode.ok;
}

/** `berth catalogue [action] [model]`: what berth knows, one model of it, or prices read anew from AWS. */
export async function runCatalogue(
  [action, name]: readonly string[],
  options: CatalogueOptions,
  terminal: Terminal,
): Promise<number> {
  switch (action) {
    case undefined:
    case "list":
      return list(options, terminal);
    case "show":
      return show(name, options, terminal);
    case "refresh": {
      const { runRefresh } = await import("./catalogue-refresh.ts");
      return runRefresh(options, terminal);
    }
    default:
      throw new UserError(`"berth catalogue ${action}" is no command.`, {
        hint: `There are list, show and refresh. A model is shown by "berth catalogue show ${action}".`,
      });
  }
}
