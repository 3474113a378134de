import { performance } from "node:perf_hooks";

import type { UpdateKind } from "../offline/runner/contract.ts";
import { TestStack } from "../test/offline/runner/engine/test-stack.ts";

/** How long a stack of many resources takes, and what memory the engine needs: `node --import tsx bench/runner.ts [500]`. */
const count = Number(process.argv[2] ?? 500);
const stack = new TestStack();
stack.program(`
  let previous;
  for (let i = 0; i < ${count}; i++) {
    const file = new File("file-" + i, { content: i % 10 === 0 || previous === undefined ? "start" : previous.path });
    previous = file;
  }
`);
try {
  for (const [name, kind] of [
    ["preview", "preview"],
    ["up", "up"],
    ["up again", "up"],
    ["refresh", "refresh"],
    ["destroy", "destroy"],
  ] as const satisfies readonly (readonly [string, UpdateKind])[]) {
    const begin = performance.now();
    stack.saves = [];
    await stack.good(kind);
    const seconds = ((performance.now() - begin) / 1000).toFixed(1);
    const memoryMiB = Math.round(process.memoryUsage.rss() / 1024 / 1024);
    console.log(
      `${name}: ${count} resources in ${seconds} s, ${stack.saves.length} saves, ${memoryMiB} MiB`,
    );
  }
} finally {
  stack.remove();
}
