const words =
  "the a of and to in is it on at by for with from as that this we you they he she not all one two three " +
  "harbour berth ship crane dock quay pier tide wave wind sail rope knot anchor mast keel hull deck cargo " +
  "load crew captain pilot chart star moon sun sea river bay coast cape island port north south east west " +
  "morning evening night day hour minute year spring summer autumn winter rain snow cloud storm calm light " +
  "dark blue green red white black grey gold silver old new long short high low near far early late first " +
  "last slow quick quiet loud warm cold small large open closed empty full safe good true come go stay wait " +
  "leave arrive turn hold keep make take give find lose see hear say ask tell know think hope sleep wake " +
  "walk run stand sit write read count measure pay cost free end begin again always never soon now then " +
  "here there where when why how if or but so very more less much many few every other same own back down " +
  "up over under through between before after until while";

/** One entry of the tokenizer: text, score and kind as the GGUF format numbers them. */
export interface Token {
  readonly text: string;
  readonly score: number;
  /** 1 normal, 2 unknown, 3 control, 6 byte (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md). */
  readonly kind: 1 | 2 | 3 | 6;
}

/** The tokens: three control ones, all 256 bytes, then whole words, so that any text can be encoded. */
export function demoVocabulary(): readonly Token[] {
  const control: Token[] = [
    { text: "<unk>", score: 0, kind: 2 },
    { text: "<s>", score: 0, kind: 3 },
    { text: "</s>", score: 0, kind: 3 },
  ];
  const bytes = Array.from({ length: 256 }, (_, byte): Token => {
    const code = byte.toString(16).toUpperCase().padStart(2, "0");
    return { text: `<0x${code}>`, score: 0, kind: 6 };
  });
  const whole = [...new Set(words.split(" "))].map((word, index): Token => ({
    text: `\u2581${word}`,
    score: -index - 1,
    kind: 1,
  }));
  return [...control, ...bytes, ...whole];
}

/** Index of the first whole word; the tokens before it are control and byte tokens. */
export const firstWord = 3 + 256;
