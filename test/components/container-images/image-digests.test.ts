import assert from "node:assert/strict";
import {
  parseImageDigests,
  pinnedImage,
  refreshDigests,
} from "../../../components/container-images/image-digests.ts";

const registry = "763104351884.dkr.ecr.us-east-1.amazonaws.com";
const tagged = `${registry}/vllm:server-sagemaker-cuda-v2.6`;
const [first, second] = ["a", "b"].map((letter) => `sha256:${letter.repeat(64)}`) as [
  string,
  string,
];
const day = (today: string) => ({ today, source: "ECR" });

describe("refreshDigests", () => {
  const { digests } = refreshDigests(undefined, { [tagged]: { digest: first } }, day("2026-11-26"));

  it("writes what a tag names, with its day, and reads it again", () => {
    assert.deepEqual(digests.images[tagged], {
      digest: first,
      asOf: "2026-11-26",
      source: "ECR",
    });
    assert.deepEqual(parseImageDigests(JSON.stringify(digests), "f"), digests);
  });

  it("tells a tag that moved", () => {
    const next = refreshDigests(digests, { [tagged]: { digest: second } }, day("2026-12-01"));
    assert.deepEqual(next.changes, [
      "image vllm:server-sagemaker-cuda-v2.6 in us-east-1: the tag moved, sha256:aaaaaaaaaaaa of 2026-11-26 -> sha256:bbbbbbbbbbbb; the next up takes that",
    ]);
    assert.equal(next.digests.images[tagged]?.digest, second);
  });

  it("keeps what it had where nothing was answered, with the day that it is from", () => {
    const next = refreshDigests(digests, { [tagged]: { failed: "denied" } }, day("2026-12-01"));
    assert.deepEqual(next.digests, digests);
    assert.match(next.kept.join(), /vllm:\S+ in us-east-1: kept, for denied/);
    const none = refreshDigests(undefined, { [tagged]: { failed: "denied" } }, day("2026-12-01"));
    assert.match(none.kept.join(), /stays by its tag, for denied/);
  });
});

describe("parseImageDigests", () => {
  it("names what is wrong", () => {
    assert.throws(() => parseImageDigests("{", "f"), /f is no JSON/);
    const cut = { schemaVersion: 1, images: { [tagged]: { digest: "sha256:abc", asOf: "x" } } };
    assert.throws(
      () => parseImageDigests(JSON.stringify(cut), "f"),
      ({ problems = [] }: { problems?: readonly string[] }) => problems.length === 3,
    );
  });
});

describe("pinnedImage", () => {
  it("takes an image by its digest where that is known, else by its tag", () => {
    const { digests } = refreshDigests(
      undefined,
      { [tagged]: { digest: first } },
      day("2026-11-26"),
    );
    assert.deepEqual(pinnedImage(tagged, digests), {
      image: `${registry}/vllm@${first}`,
      pin: { tagged, digestAsOf: "2026-11-26" },
    });
    assert.deepEqual(pinnedImage(tagged, undefined).pin, { tagged, digestAsOf: undefined });
  });
});
