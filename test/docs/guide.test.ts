import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { runBerth } from "../../scripts/cli/run-berth.ts";

const pages = ["README.md", "docs/guide.md"].map((page) =>
  readFileSync(new URL(`../../${page}`, import.meta.url), "utf8"),
);

/** The console blocks of the pages: a command, and lines of its output. */
const blocks = [...pages.join("\n").matchAll(/```console\n\$ berth (.*)\n([\s\S]*?)```/g)].map(
  ([, command = "", lines = ""]) => ({ command, lines: lines.trimEnd().split("\n") }),
);

/** A command line as a shell takes it apart. */
function words(command: string): string[] {
  return [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(
    ([, quoted, plain]) => quoted ?? plain ?? "",
  );
}

describe("the README and docs/guide.md", () => {
  it("has commands to hold it to", () => {
    assert.ok(blocks.length >= 8);
  });

  for (const { command, lines } of blocks) {
    it(`quotes what this says: berth ${command}`, async () => {
      let said = "";
      const take = (text: string): void => {
        said += text;
      };
      const code = await runBerth(words(command), { out: take, err: take, interactive: false });
      assert.equal(code, 0, said);
      const all = said.split("\n").map((line) => line.trimEnd());
      for (const line of lines) assert.ok(all.includes(line), `not said: ${line}\n${said}`);
    });
  }
});
