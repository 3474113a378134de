import { readFileSync } from "node:fs";
import { parseNotebookTypes, type NotebookTypes } from "./notebook-plan.ts";

/** The types of notebook instances that ship with berth, from the data file beside this one. */
export function loadNotebookTypes(): NotebookTypes {
  const path = new URL("data/notebook-types.json", import.meta.url);
  return parseNotebookTypes(JSON.parse(readFileSync(path, "utf8")));
}
