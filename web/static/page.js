// What the modules of the chat page share.

export const byId = (id) => document.getElementById(id);

// The words that scripts say, in the language of the page.
export const words = JSON.parse(byId("words").dataset.words);

export function cloneOf(id) {
  return byId(id).content.firstElementChild.cloneNode(true);
}

// Our own server's markup, every value escaped there; scripts in a parsed document never run.
export function parsed(html) {
  const children = new DOMParser().parseFromString(html, "text/html").body.children;
  return [...children].map((child) => document.adoptNode(child));
}

// {message, hint} as our server words it; an empty object if it isn't our server that answers.
export async function problemIn(reply) {
  try {
    return (await reply.json()).error ?? {};
  } catch {
    return {};
  }
}
