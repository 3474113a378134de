import { runBerth } from "./cli/run-berth.ts";

// A reader that has seen enough (`berth plan --list | head`) must not end an `up` half-way.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}

process.exitCode = await runBerth(process.argv.slice(2));
