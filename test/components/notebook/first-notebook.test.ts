import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { firstNotebook, type FirstNotebook } from "../../../components/notebook/first-notebook.ts";

/** The stack of examples/dev-llama. */
const example: FirstNotebook = {
  modelId: "llama-3.1-8b",
  form: "completion",
  model: { kind: "server", baseUrl: "http://127.0.0.1:8000/v1" },
  hourlyUsd: undefined,
  expiresAt: "2026-12-01T18:00:00Z",
};

interface Notebook {
  readonly cells: readonly {
    readonly cell_type: string;
    readonly id: string;
    readonly source: readonly string[];
  }[];
  readonly nbformat: number;
}

const read = (first: FirstNotebook) => JSON.parse(firstNotebook(first)) as Notebook;

describe("firstNotebook", () => {
  it("is what examples/notebooks has", () => {
    const path = new URL("../../../examples/notebooks/ask-the-model.ipynb", import.meta.url);
    assert.equal(firstNotebook(example), readFileSync(path, "utf8"));
  });

  it("says what an hour costs and when it ends, and keeps every line's end", () => {
    const { cells, nbformat } = read({
      ...example,
      hourlyUsd: 0.84,
      expiresAt: "2026-11-01T12:00:00Z",
    });
    const [introduction] = cells;
    assert.equal(nbformat, 4);
    assert.match(
      introduction!.source.join(""),
      /\$0\.84 at most\.\nIt ends at 2026-11-01T12:00:00Z/,
    );
    assert.ok(introduction!.source.slice(0, -1).every((line) => line.endsWith("\n")));
    assert.equal(new Set(cells.map(({ id }) => id)).size, cells.length);
  });

  it("is Python in every form, whatever the names are", () => {
    const odd = `a"b\\n'c`;
    const models: readonly FirstNotebook["model"][] = [
      { kind: "server", baseUrl: `http://127.0.0.1:1/${odd}` },
      { kind: "endpoint", endpointName: odd, region: "us-east-1" },
    ];
    const sources = models.flatMap((model) =>
      (["completion", "chat"] as const).flatMap((form) =>
        read({ ...example, modelId: odd, model, form })
          .cells.filter(({ cell_type }) => cell_type === "code")
          .map(({ source }) => source.join("")),
      ),
    );
    const check = "import ast, json, sys\n[ast.parse(text) for text in json.load(sys.stdin)]";
    const { status, stderr } = spawnSync("python3", ["-c", check], {
      input: JSON.stringify(sources),
    });
    assert.equal(status, 0, stderr.toString());
  });
});
