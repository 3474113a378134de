import type { Catalogue } from "../../components/catalogue/catalogue.ts";
import { filterModels, listLines, modelLines } from "../../components/catalogue/catalogue-text.ts";
import { findModel, nearestTypes } from "../../components/catalogue/find-model.ts";
import { loadCatalogue, loadSources } from "../../components/catalogue/load.ts";
import { taskArchitectures } from "../../components/catalogue/task-architecture.ts";
import { shownType, typeLines } from "../../components/catalogue/type-text.ts";
import { UserError } from "../../components/user-error.ts";
import { readClock } from "../adapters/clock.ts";
import { readModel } from "../adapters/model-folder.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { exitCode } from "../cli/exit-code.ts";

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

/** @throws UserError naming all families, when none has that in its name */
function checkFamily(family: string | undefined, { models }: Catalogue): void {
  const asked = family?.toLowerCase();
  const families = [...new Set(models.map((model) => model.family))];
  if (asked === undefined || families.some((each) => each.toLowerCase().includes(asked))) return;
  throw new UserError(`--family: no family has "${family ?? ""}" in its name.`, {
    hint: `There are ${families.join(", ")}.`,
  });
}

function list(options: CatalogueOptions, terminal: Terminal): number {
  const catalogue = loadCatalogue();
  const { task, family } = options;
  checkFamily(family, catalogue);
  const models = filterModels(catalogue, { task, family, maxGiB: sizeLimit(options.maxGib) });
  terminal.say(...listLines(catalogue, models));
  const tasks = taskArchitectures.filter((each) => task === undefined || each.task === task);
  terminal.result({ catalogueVersion: catalogue.version, tasks, models });
  return exitCode.ok;
}

/** Whether there is an EC2 type of that name, which is then shown. */
async function showType(name: string, catalogue: Catalogue, terminal: Terminal): Promise<boolean> {
  const today = (await readClock(undefined)).toISOString().slice(0, 10);
  const shown = shownType(name, catalogue, { sources: loadSources(), today });
  if (shown === undefined) {
    const near = nearestTypes(name, catalogue);
    if (near.length === 0) return false;
    throw new UserError(`The EC2 type "${name}" is not in the catalogue.`, {
      hint: `Did you mean ${near.join(", ")}? A type that it lacks can stand in berth.catalogue.yaml.`,
    });
  }
  terminal.say(...typeLines(shown, catalogue, today));
  terminal.result({ catalogueVersion: catalogue.version, ...shown });
  return true;
}

async function show(
  name: string | undefined,
  { config }: CatalogueOptions,
  terminal: Terminal,
): Promise<number> {
  const catalogue = loadCatalogue();
  if (config === undefined && name === undefined) {
    throw new UserError("No model is named, and no EC2 type.", {
      hint: "berth catalogue show <model or EC2 type>, or --config <path>.",
    });
  }
  if (config === undefined && (await showType(name ?? "", catalogue, terminal))) {
    return exitCode.ok;
  }
  const model = config === undefined ? findModel(name ?? "", catalogue) : await readModel(config);
  terminal.say(...modelLines(model, catalogue, loadSources()));
  terminal.result({ catalogueVersion: catalogue.version, model });
  return exitCode.ok;
}

/** `berth catalogue [action] [name]`: what berth knows, one model or EC2 type of it, or prices read anew from AWS. */
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
