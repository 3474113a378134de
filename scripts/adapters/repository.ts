import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Folder of berth itself: where Pulumi.yaml lies. */
export const repository = fileURLToPath(new URL("../../", import.meta.url));

/** Where berth keeps what is this checkout's own: local state, the emulated cloud's address. Git ignores it. */
export const ownFolder = join(repository, ".berth");

/** The configuration file of a stack, as `stackConfigDir` of Pulumi.yaml places it. */
export function stackFilePath(stack: string, root: string = repository): string {
  return join(root, "stacks", `Pulumi.${stack}.yaml`);
}
