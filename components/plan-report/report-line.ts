const indent = "           ";

/** A label of the left column and its text; without a label it goes on under the one before. */
export function line(label: string, text: string): string {
  return `${label.padEnd(indent.length)}${text}`;
}
