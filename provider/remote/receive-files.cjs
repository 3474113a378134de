// Takes files as one JSON object of names and texts on standard input, and puts them in place all at once.
// Usage: node -e "$(cat receive-files.cjs)" FOLDER SHA256
const fs = require("node:fs");
const { createHash } = require("node:crypto");
const [, folder, sha256] = process.argv;
const text = fs.readFileSync(0);
// A link that was cut looks like the end of the text.
if (createHash("sha256").update(text).digest("hex") !== sha256) {
  console.error("the files arrived damaged");
  process.exit(1);
}
const making = `${folder}.${process.pid}.tmp`;
fs.rmSync(making, { recursive: true, force: true });
fs.mkdirSync(making, { recursive: true });
for (const [name, content] of Object.entries(JSON.parse(text)))
  fs.writeFileSync(`${making}/${name}`, content);
// Another sender may have been here first, with the same files: the folder is named by what is in it.
try {
  fs.renameSync(making, folder);
} catch (error) {
  if (!["EEXIST", "ENOTEMPTY"].includes(error.code)) throw error;
  fs.rmSync(making, { recursive: true, force: true });
}
