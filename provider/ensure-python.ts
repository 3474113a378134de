import { dataFolderWord } from "../components/bootstrap/data-folder-word.ts";
import { planBootstrap } from "../components/bootstrap/plan.ts";
import type { BootstrapWish, PythonNeed } from "../components/bootstrap/wish.ts";
import type { Host } from "./adapters/ssh.ts";
import { readFacts, refuseHost } from "./bootstrap-host.ts";
import { ensureFolder } from "./connection.ts";
import { runStep } from "./host-steps.ts";
import { usualWaits } from "./step-scripts.ts";

/** What a Python is brought to a host for. */
export interface PythonWish {
  readonly need: PythonNeed;
  /** The data folder of the host. */
  readonly dataFolder: string;
  readonly onLine: (line: string) => void;
}

/** A minute for package lists, the rest for a slow link. */
const timeoutSeconds = 900;
/** The steps of a bootstrap that bring a Python; the others are not this one's to do. */
const bringing = ["sources", "interpreter"];

/**
 * Finds a Python on the host that makes environments for what is needed; where the system's does not, it is given its venv module,
 * or another one is brought beside it, by the steps of a bootstrap.
 *
 * @returns the command on the host
 * @throws UserError when none can be had
 */
export async function ensurePython(host: Host, wish: PythonWish): Promise<string> {
  const folder = await ensureFolder(host, wish.dataFolder);
  const facts = await readFacts(host, folder);
  const wanted: BootstrapWish = {
    gpu: { model: "", count: 0 },
    engine: "none",
    python: wish.need,
  };
  const { python, steps, refusals } = planBootstrap(facts, wanted);
  refuseHost(
    host,
    refusals.filter(({ code }) => code === "E_PYTHON"),
  );
  const operation = {
    urn: "",
    timeoutSeconds: 0,
    signal: new AbortController().signal,
    log: wish.onLine,
  };
  const ground = { host, folder, timeoutSeconds, waits: usualWaits, operation };
  for (const step of steps.filter(({ name }) => bringing.includes(name))) {
    if (step.name === "interpreter")
      wish.onLine(`Python: ${python?.what ?? ""}: ${python?.why ?? ""}`);
    await runStep(ground, step, () => Promise.resolve(false));
  }
  return (python?.command ?? "python3").replace(dataFolderWord, folder);
}
