import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { loadReportSchema } from "../../../components/load-report/report-schema.ts";
import { startStreamingServer } from "./streaming-server.ts";

describe("berth bench and Ctrl-C", () => {
  it("gives the report so far, and sends nothing more", async () => {
    const server = await startStreamingServer(() => ({ tokenMs: 10 }));
    const cli = fileURLToPath(new URL("../../../scripts/cli.ts", import.meta.url));
    const load = ["--concurrency", "2", "--answer-tokens", "20", "--rung-seconds", "25"];
    const words = ["--import", "tsx", cli, "bench", "--url", server.baseUrl, "--json", ...load];
    const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "pipe"] });
    try {
      let out = "";
      child.stdout.on("data", (piece: Buffer) => (out += piece.toString()));
      // Three of the warm-up, and some that are measured.
      while (server.asked.length < 9 && child.exitCode === null) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      child.kill("SIGINT");
      const [code] = (await once(child, "exit")) as [number];
      const asked = server.asked.length;
      assert.equal(code, 130);
      const report = loadReportSchema.parse(JSON.parse(out));
      assert.equal(report.ended, "interrupted");
      assert.ok(report.rungs[0]!.requests >= 2 && report.rungs[0]!.windowSeconds < 20);
      await new Promise((resolve) => setTimeout(resolve, 100));
      assert.equal(server.asked.length, asked);
    } finally {
      child.kill("SIGKILL");
      await server.stop();
    }
  });
});
