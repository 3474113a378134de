import assert from "node:assert/strict";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { checkDataset, type DatasetQuestion } from "../../../scripts/dataset/check-dataset.ts";
import { readLines } from "../../../scripts/dataset/line-reader.ts";
import { DatasetWriter } from "../../../scripts/dataset/write-dataset.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "berth-dataset-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function file(content: string | Buffer, name = "train.jsonl"): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function check(content: string | Buffer, question: Partial<DatasetQuestion> = {}) {
  const report = await checkDataset({ path: file(content), ...question });
  const places = (kind: string) =>
    report.problems.find((group) => group.kind === kind)?.first.map(({ line }) => line) ?? [];
  return { report, places };
}

const text = (words: string) => `${JSON.stringify({ text: words })}\n`;
/** Sentences that have little in common. */
const many = (count: number) =>
  Array.from({ length: count }, (_, i) =>
    text(Array.from({ length: 12 }, (_, j) => `w${(i * 7919 + j * 104729) % 99991}`).join(" ")),
  ).join("");

describe("checkDataset", () => {
  it("names every kind of problem by its line, all of them at once", async () => {
    const lines = [
      text("a good first sample"),
      '{"text": "broken\n',
      "\n",
      '{"question": "?", "answer": "!"}\n',
      '{"messages": [{"role": "user", "content": "hi"}]}\n',
      '{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ho"}]}\n',
      '{"text": "half \\ud83d"}\n',
      '{"text": "   "}\n',
      "[1, 2]\n",
    ];
    const bad = Buffer.concat([
      Buffer.from('{"text": "caf'),
      Buffer.from([0xe9]),
      Buffer.from('"}\n'),
    ]);
    const { report, places } = await check(Buffer.concat([Buffer.from(lines.join("")), bad]));
    assert.deepEqual(places("json"), [2]);
    assert.deepEqual(places("empty"), [3, 8]);
    assert.deepEqual(places("schema"), [4, 5, 9]);
    assert.deepEqual(places("mixed"), [6]);
    assert.deepEqual(places("encoding"), [7, 10]);
    const [, wrong] = report.problems.find(({ kind }) => kind === "encoding")?.first ?? [];
    assert.match(wrong?.reason ?? "", /byte 14/);
    assert.equal(report.samples, 1);
    assert.equal(report.usable, false);
    assert.equal((await check(lines.join(""), { skipBroken: true })).report.usable, true);
  });

  it("takes the mark, CR and a last line without an end, and says so", async () => {
    const { report, places } = await check(
      Buffer.concat([
        Buffer.from([0xef, 0xbb, 0xbf]),
        Buffer.from('{"text":"one"}\r\n{"text":"two"}'),
      ]),
    );
    assert.equal(report.samples, 2);
    assert.deepEqual(places("bom"), [1]);
    assert.equal(report.problems.find(({ kind }) => kind === "crlf")?.first[0]?.reason, "1 lines");
  });

  it("refuses UTF-16 as what it is not", async () => {
    const { report, places } = await check(Buffer.from('\ufeff{"text":"x"}\n', "utf16le"));
    assert.equal(report.usable, false);
    assert.deepEqual(places("encoding")[0], 1);
  });

  it("shows the first of many and counts all", async () => {
    const { report } = await check("{\n".repeat(500), { shown: 3 });
    const [json] = report.problems;
    assert.deepEqual([json?.count, json?.first.length], [500, 3]);
  });

  it("finds exact and near duplicates, and leaves different samples alone", async () => {
    const story =
      "The harbour was quiet when the ship came in, and nobody on the long stone pier had seen it coming from the north that morning.";
    const { places } = await check(
      text(story) +
        many(300) +
        text(story) +
        text(story.replace("north", "south")) +
        text(story.toUpperCase()),
    );
    assert.deepEqual(places("duplicate"), [302]);
    assert.deepEqual(places("near-duplicate"), [303, 304]);
    // Sentences of one form that say different things are no duplicates.
    const form = (what: string, day: number) =>
      text(`Ask ${day}: what colour has the ${what}? It is blue, and has been since day ${day}.`);
    const alike = await check(form("river", 2) + form("river", 31) + form("tree", 2));
    assert.deepEqual(alike.places("near-duplicate"), []);
  });

  it("says that a large model wants more samples, and nothing of it to a small one", async () => {
    const large = await check(many(20), { parameters: 7e9 });
    assert.match(
      large.report.problems.find(({ kind }) => kind === "small-data")?.first[0]?.reason ?? "",
      /10000/,
    );
    const small = await check(many(20), { parameters: 1e9 });
    assert.deepEqual(small.report.problems, []);
  });

  it("gives a range without a tokenizer, and calls too long only what surely is", async () => {
    const { report, places } = await check(text("word ".repeat(2000)) + text("word"), {
      maxTokens: 1000,
    });
    assert.deepEqual(places("too-long"), [1]);
    assert.ok(report.trainTokens.low <= 2010 && report.trainTokens.high > 2500);
    assert.deepEqual(
      (await check(text("word ".repeat(300)), { maxTokens: 500 })).places("too-long"),
      [],
    );
  });

  it("reads plain text, one sample a line", async () => {
    const report = await checkDataset({ path: file("one\n\ntwo\n", "train.txt") });
    assert.deepEqual([report.samples, report.schema], [2, "text"]);
  });
});

describe("the split", () => {
  async function parts(content: string, seed: number) {
    const places = { train: join(folder, "t"), validation: join(folder, "v") };
    const writer = new DatasetWriter(places);
    await checkDataset({ path: file(content), validationShare: 0.3, seed }, writer);
    await writer.keep();
    const read = (path: string) => readFileSync(path, "utf8").trimEnd().split("\n").toSorted();
    return { train: read(places.train), validation: read(places.validation) };
  }

  it("is of content and seed alone: another order gives the same parts, another seed others", async () => {
    const lines = many(200).trimEnd().split("\n");
    const one = await parts(`${lines.join("\n")}\n`, 1);
    const turned = await parts(`${lines.toReversed().join("\n")}\n`, 1);
    assert.deepEqual(turned, one);
    assert.notDeepEqual((await parts(`${lines.join("\n")}\n`, 2)).train, one.train);
    assert.ok(Math.abs(one.validation.length - 60) < 30);
    assert.equal(one.train.length + one.validation.length, 200);
  });
});

describe("personal data", () => {
  const personal = [
    "write to jane.doe@example.com today",
    "mail <a.b@mail.example>, or call (415) 555-2671.",
    "her card is 4111 1111 1111 1111",
    "from 192.168.1.17 and 2001:db8::1",
  ];
  const innocent = [
    "it happened on 2024-11-25 at 12:30:45",
    "pi is 3.14159265358979 and the order was 1234567890",
    "version 1.2.3 of 1,000,000 files; ISBN 978-3-16-148410-0",
    "see @handle, std::vector, x = y @ z",
  ];

  it("is found where it is, and dates, versions and numbers are not it", async () => {
    const { places } = await check([...personal, ...innocent].map(text).join(""));
    assert.deepEqual(places("personal-data"), [1, 2, 3, 4]);
  });

  it("is masked in what is written, and the rest stays letter by letter", async () => {
    const places = { train: join(folder, "t"), validation: join(folder, "v") };
    const writer = new DatasetWriter(places);
    const path = file([...personal, ...innocent].map(text).join(""));
    await checkDataset({ path, mask: true }, writer);
    await writer.keep();
    const written = readFileSync(places.train, "utf8").trimEnd().split("\n");
    const texts = written.map((line) => (JSON.parse(line) as { text: string }).text);
    assert.deepEqual(texts.slice(0, 4), [
      "write to [email] today",
      "mail <[email]>, or call [phone-number].",
      "her card is [credit-card-number]",
      "from [ip-address] and [ip-address]",
    ]);
    assert.deepEqual(texts.slice(4), innocent);
  });
});

describe("readLines", () => {
  it("gives the lines of any bytes back, whole and in order", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 30 }),
        async (parts) => {
          const bytes = Buffer.concat(parts.map((part) => Buffer.from(part)));
          const path = file(bytes, "bytes");
          const back: string[] = [];
          for await (const lines of readLines(path)) {
            for (const { bytes: line, crlf } of lines) {
              back.push(`${line?.toString("latin1") ?? "?"}${crlf ? "\r" : ""}`);
            }
          }
          const wanted = bytes.toString("latin1").split("\n");
          if (wanted.at(-1) === "") wanted.pop();
          assert.deepEqual(back, wanted);
        },
      ),
      { numRuns: 50 },
    );
  });

  it("counts a line of 200 MB without holding it, and goes on after it", async () => {
    const path = join(folder, "long");
    const handle = openSync(path, "w");
    writeSync(handle, "first\n");
    // A hole of the file system: read as zeros, and no room on the disk.
    writeSync(handle, "\nlast\n", 200 * 1024 ** 2);
    closeSync(handle);
    const before = process.memoryUsage.rss();
    let peak = 0;
    const found: (readonly [number, boolean, number])[] = [];
    for await (const lines of readLines(path)) {
      peak = Math.max(peak, process.memoryUsage.rss());
      for (const { number, bytes, length } of lines)
        found.push([number, bytes !== undefined, length]);
    }
    assert.deepEqual(found, [
      [1, true, 5],
      [2, false, 200 * 1024 ** 2 - 6],
      [3, true, 4],
    ]);
    assert.ok(peak - before < 120 * 1024 ** 2, `${peak - before} bytes more`);
  });
});
