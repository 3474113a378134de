import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { staticPage } from "../../../components/dashboard-page/dashboard-page.ts";
import { makeView } from "../../../scripts/dashboard/make-view.ts";
import type { DashboardReadings } from "../../../scripts/dashboard/readings.ts";
import { startServer, type DashboardServer } from "../../../scripts/dashboard/server.ts";
import {
  accountReadings,
  factsOf,
  now,
  readingsOf,
  stackOf,
  thingOf,
} from "../../scripts/dashboard/support.ts";
import { ChromiumPage, hasChromium } from "../../support/chromium.ts";
import { needs } from "../../support/tier.ts";

const hostile = `<script>document.title="owned"</script><img src=x onerror="document.title='owned'">'"&`;

/** Readings in which everything that somebody else may write is hostile. */
function hostileReadings(): DashboardReadings {
  const tags = {
    "berth:stack": hostile,
    "berth:owner": hostile,
    "berth:model": hostile,
    "berth:run-id": "other",
  };
  const things = [thingOf("instance", tags), thingOf("volume", {})];
  const unanswered = [{ question: hostile, why: hostile }];
  const untaggedGpus = [
    { service: "ec2", kind: "instance", id: hostile, region: hostile, type: hostile },
  ];
  const plan = {
    modelId: hostile,
    ladder: [{ instanceType: hostile, gpuModel: hostile, gpuCount: 1 }],
    rejected: [{ instanceType: hostile, region: "r", kind: "memory", reason: hostile }],
  };
  const outputs = { ...factsOf().outputs, instanceType: hostile, owner: hostile, plan };
  const pending = [{ operation: hostile, name: hostile }];
  const stack = stackOf({
    name: hostile,
    env: hostile,
    state: { value: factsOf({ outputs, pending, region: hostile }), at: now },
    serving: {
      value: {
        noun: "host",
        state: hostile,
        why: hostile,
        served: [{ what: hostile, text: hostile }],
      },
      at: now,
    },
    host: {
      value: {
        gpus: [{ name: hostile, utilisation: 1, memoryUsedMiB: 1, memoryTotalMiB: 2 }],
        health: 200,
        steps: [{ name: hostile, state: "running", code: 0, lastLine: hostile }],
        idleStop: false,
      },
      at: now,
      problem: hostile,
      problemAt: now,
    },
  });
  const inventory = { value: { things, untaggedGpus, unanswered }, at: now };
  return readingsOf({
    stacks: [stack],
    files: [hostile],
    accounts: [accountReadings({ inventory })],
  });
}

describe("staticPage", () => {
  it("has no script, and asks nothing of a network", () => {
    const page = staticPage(makeView(readingsOf()));
    assert.doesNotMatch(page, /<(script|link|img|iframe)|src=|url\(|https?:\/\//i);
    assert.match(page, /content="default-src &#39;none&#39;; base-uri &#39;none&#39;/);
    assert.doesNotMatch(page, /script-src|connect-src|unsafe/);
  });

  it("escapes whatever somebody wrote into a tag, a log or a state", () => {
    const page = staticPage(makeView(hostileReadings()));
    assert.doesNotMatch(page, /<script|<img/);
    const times = page.split("&lt;script&gt;document.title=").length - 1;
    assert.ok(times > 20, `${times} hostile texts are shown`);
  });
});

describe("the dashboard in Chromium", () => {
  let page: ChromiumPage;
  let server: DashboardServer;
  let readings = readingsOf();
  let revision = 0;
  const script = readFileSync("scripts/dashboard/live.mjs", "utf8").replace(
    "pollMs = 2000",
    "pollMs = 100",
  );
  const dashboard = {
    refresh: () => Promise.resolve(),
    get view() {
      return makeView(readings);
    },
    get revision() {
      return revision;
    },
  };

  function tell(next: DashboardReadings): void {
    readings = next;
    revision += 1;
  }

  before(async function () {
    needs(this, "chromium", hasChromium(), "the command is not on the PATH");
    server = await startServer({ dashboard, script, port: 0 });
    ends.push(() => server.close());
    page = await ChromiumPage.open();
    ends.push(() => page.close());
    await page.goTo(server.url);
    await page.until("document.querySelector('article')");
  });
  const ends: (() => Promise<void>)[] = [];
  after(async () => {
    for (const end of ends) await end();
  });

  const text = (selector: string) =>
    page.value<string>(`document.querySelector(${JSON.stringify(selector)})?.textContent.trim()`);

  it("takes its key out of the address, and still has it after a reload", async () => {
    assert.equal(await page.value("location.hash"), "");
    await page.reload();
    await page.until("document.querySelector('article')");
    await page.until("document.querySelector('#connection').textContent.trim() === 'Live'");
    assert.equal(await page.value("document.title"), "1 of 1 stack running, $1.05 an hour - berth");
  });

  it("counts down and counts up by the clock that it was told", async () => {
    const until = () => text("[data-until]");
    const first = await until();
    assert.match(first, /^in (2 h 0 min|1 h 5\d min)$/);
    assert.match(await text("[data-hourly]"), /^\$2\.[12]\d$/);
    tell(
      readingsOf({
        accounts: [accountReadings({ clock: { value: "2026-11-25T13:59:30Z", at: now } })],
      }),
    );
    await page.until("/^in \\d+ s$/.test(document.querySelector('[data-until]').textContent)");
    const before = await until();
    await page.until(
      `document.querySelector('[data-until]').textContent !== ${JSON.stringify(before)}`,
    );
    assert.match(await text("#news"), /dev ends in less than 5 minutes/);
  });

  it("keeps focus and what was opened when figures change, and tells a change once", async () => {
    tell(readingsOf());
    await page.until("/^in 1 h|2 h/.test(document.querySelector('[data-until]').textContent)");
    await page.value("document.querySelector('details').open = true");
    await page.value("document.querySelector('summary').focus()");
    const probe = { ...stackOf().host.value!, health: 0 };
    tell(readingsOf({ stacks: [stackOf({ host: { value: probe, at: now } })] }));
    await page.until(
      "document.querySelector('article').dataset.status.includes('does not answer')",
    );
    assert.equal(await page.value("document.activeElement.tagName"), "SUMMARY");
    assert.equal(await page.value("document.querySelector('details').open"), true);
    const said = await page.value<string>("document.querySelector('#news').lastChild.textContent");
    assert.equal(said, "dev: runs, and does not answer");
    const lines = await page.value<number>("document.querySelector('#news').childElementCount");
    await page.until("document.querySelector('[data-until]')");
    await pause(1200);
    assert.equal(await page.value("document.querySelector('#news').childElementCount"), lines);
  });

  it("adds and removes stacks", async () => {
    tell(readingsOf({ stacks: [stackOf({ name: "dev-a" }), stackOf({ name: "dev-b" })] }));
    await page.until("document.querySelectorAll('article').length === 2");
    const names = await page.value(
      "[...document.querySelectorAll('h3')].map((h) => h.textContent)",
    );
    assert.deepEqual(names, ["dev-a", "dev-b"]);
    tell(readingsOf());
    await page.until("document.querySelectorAll('article').length === 1");
    assert.equal(await text("h3"), "dev");
  });

  it("runs nothing of a hostile tag", async () => {
    tell(hostileReadings());
    await page.until("document.querySelector('h3').textContent.includes('<script>')");
    await pause(200);
    assert.notEqual(await page.value("document.title"), "owned");
    assert.equal(await page.value("document.querySelectorAll('main script, main img').length"), 0);
    tell(readingsOf());
    await page.until("document.querySelector('h3').textContent === 'dev'");
  });

  it("is walked through by the keyboard: first past the head, then every table and detail", async () => {
    await page.reload();
    await page.until("document.querySelector('article')");
    const seen: string[] = [];
    for (let step = 0; step < 3; step += 1) {
      await page.press("Tab");
      const name = await page.value<string>(
        "(document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent).trim()",
      );
      seen.push(name);
      const outline = await page.value<string>(
        "getComputedStyle(document.activeElement).outlineStyle",
      );
      assert.equal(outline, "solid", name);
      if (step > 0) continue;
      await page.press("Enter");
      assert.equal(await page.value("document.activeElement.id"), "main");
    }
    assert.equal(seen[0], "Skip to the stacks");
    assert.equal(seen[1], "Steps: the one is done");
    assert.match(seen[2] ?? "", /^Why g5\.xlarge/);
    await page.value("document.querySelectorAll('summary')[1].focus()");
    await page.press("Enter");
    await page.until("document.querySelectorAll('details')[1].open");
    await page.press("Tab");
    assert.equal(
      await page.value("document.activeElement.getAttribute('aria-label')"),
      "Ladder of dev",
    );
  });

  it("tells a screen reader its parts: landmarks, headings, named tables, a status that is not chatty", async () => {
    const { nodes } = (await page.call("Accessibility.getFullAXTree")) as {
      nodes: { ignored: boolean; role?: { value: string }; name?: { value: string } }[];
    };
    const told = nodes
      .filter(({ ignored }) => !ignored)
      .map(({ role, name }) => `${role?.value ?? ""} ${name?.value ?? ""}`.trim());
    for (const part of ["banner", "main", "contentinfo", "heading dev", "article dev", "status"]) {
      assert.ok(told.includes(part), `${part} in ${told.join("; ")}`);
    }
    assert.ok(told.includes("table The ladder of dev: tried in this order"), told.join("; "));
    assert.ok(told.includes("meter Utilisation of NVIDIA A10G"), told.join("; "));
    const live = await page.value<number>(
      "document.querySelectorAll('main [aria-live], main [role=status]').length",
    );
    assert.equal(live, 0, "what ticks is not read out");
  });

  it("says when berth no longer answers, and leaves the figures", async () => {
    await server.close();
    await page.until("document.querySelector('#connection').classList.contains('lost')");
    assert.match(await text("#connection"), /^No answer from berth/);
    assert.equal(await text("h3"), "dev");
  });
});

/** The least contrast of any text on the page, with its words: https://www.w3.org/TR/WCAG22/#contrast-minimum */
const leastContrast = `(() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => [r, g, b]
    .map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const colour = channels(getComputedStyle(at).backgroundColor);
      if (colour[3] === undefined || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  let least = { ratio: 99, text: "" };
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const { parentElement: element, data } = walk.currentNode;
    if (data.trim() === "" || element.closest("script,style,noscript")) continue;
    const [a, b] = [channels(getComputedStyle(element).color), ground(element)].map(luminance);
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < least.ratio) least = { ratio, text: data.trim() };
  }
  return least;
})()`;

describe("the dashboard's layout in Chromium", () => {
  let page: ChromiumPage;
  const ends: (() => Promise<void>)[] = [];
  before(async function () {
    needs(this, "chromium", hasChromium(), "the command is not on the PATH");
    page = await ChromiumPage.open();
    ends.push(() => page.close());
    const { stacks, accounts } = hostileReadings();
    const shown = staticPage(makeView(readingsOf({ stacks: [stackOf(), ...stacks], accounts })));
    await page.goTo(`data:text/html;charset=utf-8;base64,${Buffer.from(shown).toString("base64")}`);
  });
  after(() => Promise.all(ends.map((end) => end())));

  for (const scheme of ["light", "dark"]) {
    it(`has contrasts of at least 4.5 in ${scheme}`, async () => {
      await page.media({ "prefers-color-scheme": scheme });
      const { ratio, text } = await page.value<{ ratio: number; text: string }>(leastContrast);
      assert.ok(ratio >= 4.5, `${ratio.toFixed(2)} at "${text}"`);
    });
  }

  for (const width of [320, 1200]) {
    it(`is not wider than a screen of ${width}`, async () => {
      await page.size(width, 900);
      const wide = await page.value<string[]>(
        `[...document.querySelectorAll("body *")].filter((part) => !part.closest(".scroll, .skip, .hidden")
           && part.getBoundingClientRect().right > innerWidth + 1).map((part) => part.outerHTML.slice(0, 80))`,
      );
      assert.deepEqual(wide, []);
      assert.ok(await page.value<boolean>("document.documentElement.scrollWidth <= innerWidth"));
    });
  }
});
