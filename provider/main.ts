import { servePlugin } from "./plugin/server.ts";
import { resourceTypes } from "./resources/resource-types.ts";

await servePlugin(resourceTypes, process.argv.slice(2));
