import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Host } from "../../adapters/ssh.ts";
import type { StepOutcome } from "../../plan-run.ts";

const names = ["main.py", "http_api.py", "text_model.py", "image_model.py"] as const;

function contents(): readonly (readonly [string, string])[] {
  return names.map((name) => {
    return [name, readFileSync(fileURLToPath(new URL(name, import.meta.url)), "utf8")] as const;
  });
}

/** The server's folder on a host, named by what is in it. */
export function pythonServerFolder(dataFolder: string): string {
  const sha256 = createHash("sha256").update(JSON.stringify(contents())).digest("hex");
  return `${dataFolder}/engines/python-server-${sha256.slice(0, 12)}`;
}

/** Puts the server for transformers and diffusers on a host. */
export async function installPythonServer(host: Host, dataFolder: string): Promise<StepOutcome> {
  const folder = pythonServerFolder(dataFolder);
  const note = "the server for transformers and diffusers";
  // The file that is started is put there last: with it, all are.
  const script = '[ -e "$1/main.py" ] && echo yes || echo no';
  if ((await host.output(script, [folder])).trim() === "yes") return { changed: false, note };
  for (const [name, text] of contents().toReversed()) await host.put(text, `${folder}/${name}`);
  return { changed: true, note };
}
