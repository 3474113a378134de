import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { troubleshootingPage } from "../../components/bootstrap/troubleshooting-page.ts";

writeFileSync(
  fileURLToPath(new URL("../../docs/troubleshooting.md", import.meta.url)),
  troubleshootingPage(),
);
