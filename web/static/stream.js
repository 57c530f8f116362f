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
        const [, name, rest] = /^(\w*): ?(.*)$/.exec(line) ?? [];
        if (name === "event") fields.event = rest;
        else if (name === "data") fields.data.push(rest);
      }
      if (fields.data.length) yield { event: fields.event, data: JSON.parse(fields.data.join("\n")) };
    }
  }
}
