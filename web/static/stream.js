// Server-sent events of a POST (the browser's EventSource can only GET): {event, data} each, data read as JSON.

export async function* eventsOf(reply) {
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return; // what is not ended by an empty line was cut off
    text += value;
    const blocks = text.split("\n\n");
    text = blocks.pop();
    for (const block of blocks) {
      const fields = { event: "message", data: [] };
      for (const line of block.split("\n")) {
        const colon = line.indexOf(":"); // a data line may hold any character, line separators (U+2028) too
        const [name, rest] = [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, "")];
        if (name === "event") fields.event = rest;
        else if (name === "data") fields.data.push(rest);
      }
      if (fields.data.length) yield { event: fields.event, data: JSON.parse(fields.data.join("\n")) };
    }
  }
}
