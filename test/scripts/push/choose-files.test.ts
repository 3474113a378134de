import assert from "node:assert/strict";
import { chooseFiles, pathProblem, type FileWishes } from "../../../scripts/push/choose-files.ts";
import { applyIndexes } from "../../../scripts/push/shard-index.ts";

const none: FileWishes = { allowPickle: [], include: [], exclude: [] };
const of = (...paths: string[]) => paths.map((path) => ({ path, size: 1 }));
const names = (files: readonly { readonly path: string }[]) => files.map(({ path }) => path);

describe("chooseFiles", () => {
  it("prefers safetensors, and leaves pickled weights and other frameworks behind", () => {
    const { sent, skipped, problems } = chooseFiles(
      of(
        "a.safetensors",
        "pytorch_model.bin",
        "tf.h5",
        "flax.msgpack",
        "LICENSE",
        ".gitattributes",
      ),
      none,
    );
    assert.deepEqual(names(sent), ["a.safetensors", "LICENSE"]);
    assert.equal(skipped.length, 4);
    assert.deepEqual(problems, []);
  });

  for (const path of ["a.bin", "b.pt", "c.pth", "d.ckpt", "e.pkl", "f.PKL", "g.pickle"]) {
    it(`refuses ${path} by itself, and takes it by its name`, () => {
      assert.match(chooseFiles(of(path), none).problems[0] ?? "", /run code/);
      const allowed = chooseFiles(of(path), { ...none, allowPickle: [path] });
      assert.deepEqual([names(allowed.sent), allowed.problems], [[path], []]);
    });
  }

  it("lets a name through, not its likes", () => {
    const wishes = { ...none, allowPickle: ["a.bin", "z.bin"] };
    const { problems } = chooseFiles(of("a.bin", "b.bin"), wishes);
    assert.equal(problems.length, 2);
    assert.match(problems.join(), /b\.bin: pickled.*z\.bin: there is no such file/s);
  });

  it("sends what --include fits and --exclude does not", () => {
    const files = of("q4.gguf", "q8.gguf", "README.md", "sub/q4.gguf");
    const wishes = { ...none, include: ["**/q4.gguf", "*.md"], exclude: ["sub/**"] };
    assert.deepEqual(names(chooseFiles(files, wishes).sent), ["q4.gguf", "README.md"]);
  });

  it("refuses names that leave the folder, clash by case, or hold nothing", () => {
    const paths = ["../x", "/abs", "a//b", "a/./b", "a\\b", "a\u0000b", "a\nb", "x".repeat(900)];
    for (const path of paths) assert.notEqual(pathProblem(path), undefined, path);
    assert.equal(pathProblem("a b/ü+%.json"), undefined);
    assert.equal(chooseFiles(of("Config.json", "config.json"), none).problems.length, 1);
    assert.equal(chooseFiles([{ path: "a.safetensors", size: 0 }], none).problems.length, 1);
  });
});

describe("applyIndexes", () => {
  const index = (...shards: string[]) =>
    JSON.stringify({
      weight_map: Object.fromEntries(shards.map((shard, at) => [`t${at}`, shard])),
    });
  const path = "model.safetensors.index.json";

  it("leaves weights behind that the index beside them does not name", () => {
    const files = of(
      "m-1.safetensors",
      "m-2.safetensors",
      "consolidated.safetensors",
      path,
      "u/x.safetensors",
    );
    const chosen = chooseFiles(files, none);
    const indexes = [{ path, text: index("m-1.safetensors", "m-2.safetensors") }];
    const { sent, skipped, problems } = applyIndexes(chosen, indexes, () => false);
    assert.deepEqual(problems, []);
    assert.deepEqual(names(skipped), ["consolidated.safetensors"]);
    assert.ok(names(sent).includes("u/x.safetensors"));
    const kept = applyIndexes(chosen, indexes, (each) => each === "consolidated.safetensors");
    assert.deepEqual(names(kept.skipped), []);
  });

  it("names each shard that is missing, and an index that is none", () => {
    const chosen = chooseFiles(of("m-1.safetensors", path), none);
    const missing = applyIndexes(
      chosen,
      [{ path, text: index("m-1.safetensors", "m-2.safetensors") }],
      () => false,
    );
    assert.match(missing.problems.join(), /m-2\.safetensors: is named by/);
    const broken = applyIndexes(chosen, [{ path, text: "{" }], () => false);
    assert.match(broken.problems.join(), /is not an index/);
  });
});
