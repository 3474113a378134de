/** What a text holds as JSON; undefined for what is none, as a line is that is just being written. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
