import { serveProvider } from "./engine/server.ts";

await serveProvider(process.argv.slice(2));
