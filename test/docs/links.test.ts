import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("../../", import.meta.url));

function pagesBelow(folder: string): readonly string[] {
  return readdirSync(join(repository, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(folder, name));
}

const pages = [
  ...["README.md", "CONTRIBUTING.md", "SECURITY.md"],
  ...pagesBelow("docs"),
  ...pagesBelow("examples"),
];

function textOf(page: string): string {
  return readFileSync(join(repository, page), "utf8").replaceAll(/```[^]*?```/g, "");
}

/** A heading's anchor, as GitHub makes it. */
function anchorOf(heading: string): string {
  const words = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
  return words.replaceAll(/[^\p{L}\p{N}_\- ]/gu, "").replaceAll(" ", "-");
}

function anchors(page: string): readonly string[] {
  return [...textOf(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) => anchorOf(heading));
}

/** What is wrong with a link of a page to another place of the repository. */
function brokenLink(page: string, link: string): string | undefined {
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? page : normalize(join(dirname(page), path));
  if (!existsSync(join(repository, target))) return `${page}: ${link} is nowhere`;
  if (anchor === undefined || !target.endsWith(".md")) return undefined;
  return anchors(target).includes(anchor) ? undefined : `${page}: ${link} has no such heading`;
}

describe("the pages", () => {
  it("link to what is there, headings included", () => {
    const links = pages.flatMap((page) =>
      [...textOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => [page, link] as const),
    );
    const own = links.filter(([, link]) => !/^[a-z]+:/.test(link));
    assert.ok(own.length > 100, `${own.length} links`);
    const broken = own.flatMap(([page, link]) => brokenLink(page, link) ?? []);
    assert.deepEqual(broken, []);
  });
});
