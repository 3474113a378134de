// Every installed package must have a permissive licence; one that does not is named, and the check fails.

import { readFileSync } from "node:fs";

const permissive = new Set([
  "0BSD",
  "Apache-2.0",
  "BlueOak-1.0.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "CC0-1.0",
  "CC-BY-3.0",
  "CC-BY-4.0",
  "ISC",
  "MIT",
  "MIT-0",
  "PSF-2.0",
  "Python-2.0",
  "Unlicense",
  "WTFPL",
]);

/** Packages that state no identifier and whose LICENSE file was read: its identifier. */
const read = { "node_modules/@logdna/tail-file": "MIT" };

/** True when one branch of an "A OR B" is permissive in all its "AND" parts. */
function isPermissive(expression) {
  const branches = expression.replaceAll(/[()]/g, "").split(/ OR /i);
  return branches.some((branch) =>
    branch.split(/ AND /i).every((part) => permissive.has(part.trim())),
  );
}

/** Licence as the package's own document states it; some old ones use an object or a list. */
function stated(folder) {
  const { license, licenses } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  const name = (entry) => (typeof entry === "string" ? entry : entry?.type);
  return name(license) ?? (Array.isArray(licenses) ? licenses.map(name).join(" OR ") : undefined);
}

const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));
const refused = [];
let count = 0;
for (const [folder, entry] of Object.entries(lock.packages)) {
  if (folder === "") continue;
  let licence = read[folder] ?? entry.license;
  try {
    licence ??= stated(folder);
  } catch {
    if (entry.optional) continue;
  }
  count += 1;
  if (licence === undefined || !isPermissive(licence))
    refused.push(`${folder}: ${licence ?? "no licence stated"}`);
}
if (refused.length > 0) {
  console.log(
    `licences that are not on the list:\n${refused.map((line) => `  ${line}`).join("\n")}`,
  );
  process.exit(1);
}
console.log(`${count} packages, all with a permissive licence`);
