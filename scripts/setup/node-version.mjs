// Which Node berth runs on. It is plain JavaScript without dependencies, since what is too old has to be able to say so.
// Run by itself it ends with 1 where this Node is not one of them.

import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** As `engines` of package.json has it. */
export const goodNode = "22.21, or 24.5 and newer";

/** Whether a version such as `v24.21.0` is one that the packages run on. */
export function isGood(version) {
  const [major, minor] = version.replace(/^v/, "").split(".").map(Number);
  return (major === 22 && minor >= 21) || (major === 24 && minor >= 5) || major > 24;
}

/** Node names a module by its real path, and the program as it was called, through the links of a folder too. */
function isProgram() {
  const [, program] = process.argv;
  return program !== undefined && realpathSync(program) === fileURLToPath(import.meta.url);
}

if (isProgram() && !isGood(process.version)) {
  process.stderr.write(
    `This is Node ${process.versions.node}, and berth needs ${goodNode}.\n` +
      "  Install a newer one (https://nodejs.org), or run npm ci in the clone, which brings one.\n",
  );
  process.exitCode = 1;
}
