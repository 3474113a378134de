import { runBerth } from "./run-berth.ts";

process.exitCode = await runBerth(process.argv.slice(2));
