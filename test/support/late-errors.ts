import { appendFileSync, writeFileSync } from "node:fs";

// Loaded by mocha into every process of a run. An error after a file's tests are over, such as that of a promise which nobody
// awaited, would end the process that ran them; and mocha, which waits for that one, would end without a word and with status 0.
// It takes all listeners away after each file, but not this callback.
process.setUncaughtExceptionCaptureCallback((error) => {
  // While tests run, mocha listens, and blames the one that runs.
  const listeners: NodeJS.EventEmitter = process;
  if (listeners.emit("uncaughtException", error, "uncaughtException")) return;
  const text = error.stack ?? error.message;
  process.stderr.write(`An error after its tests were over:\n${text}\n`);
  const { BERTH_LATE_ERRORS: file } = process.env;
  if (file === undefined) process.exitCode = 1;
  else appendFileSync(file, `${text}\n`);
});

/** Notes that mocha came to its end, in the process that tells of all tests. */
export function mochaGlobalTeardown(): void {
  const { BERTH_TESTS_ENDED: file } = process.env;
  if (file !== undefined) writeFileSync(file, "");
}
