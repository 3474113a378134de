/** Two hundred answers to twelve questions: enough to learn in a few steps. */
export function samples(): string {
  const things = "apple river stone cloud harbour lamp tree ship bread glass horse tower".split(
    " ",
  );
  const colours = "red blue grey white green yellow brown black".split(" ");
  const lines = Array.from({ length: 200 }, (_, i) => {
    const thing = things[i % 12];
    const colour = colours[(i % 12) % 8];
    const day = Math.floor(i / 12);
    const answer = `The ${thing} is ${colour}, and it has been ${colour} since day ${day}.`;
    return JSON.stringify({
      messages: [
        { role: "user", content: `Ask ${day}: what colour has the ${thing}?` },
        { role: "assistant", content: answer },
      ],
    });
  });
  return `${lines.join("\n")}\n`;
}
