// The source beside the conversation; a sheet from below where there is no room.

import { byId, parsed, problemIn } from "./page.js";

const [panel, body] = ["panel", "panel-body"].map(byId);
const narrow = matchMedia("(max-width: 900px)");
let opener = null;

// `link.dataset.panel` is the address of what is shown; `failure` makes the card that says why nothing is.
export async function openPanel(link, failure) {
  if (!panel.contains(link)) opener = link;
  const wanted = link.dataset.panel;
  body.dataset.shown = wanted;
  body.replaceChildren();
  if (!panel.open) narrow.matches ? panel.showModal() : panel.show();
  document.body.classList.add("with-panel");
  opener.scrollIntoView({ block: "nearest" }); // the conversation has become narrower
  let content;
  try {
    const reply = await fetch(wanted);
    content = reply.ok ? parsed(await reply.text()) : [failure(await problemIn(reply))];
  } catch {
    content = [failure({})];
  }
  if (body.dataset.shown !== wanted) return; // another mark was clicked meanwhile
  body.replaceChildren(...content);
  body.querySelector("[data-retry]")?.addEventListener("click", () => openPanel(link, failure));
  body.querySelector(".panel-title")?.focus({ preventScroll: true });
  const cited = body.querySelector(".cited");
  body.scrollTop = cited ? cited.offsetTop - body.clientHeight / 3 : 0;
}

narrow.addEventListener("change", () => panel.open && panel.close()); // a sheet is modal, a column is not
byId("panel-close").addEventListener("click", () => panel.close());
panel.addEventListener("click", (event) => {
  if (event.target === panel) panel.close(); // the backdrop of the bottom sheet
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && panel.open) panel.close();
});
panel.addEventListener("close", () => {
  document.body.classList.remove("with-panel");
  delete body.dataset.shown;
  opener?.focus({ preventScroll: true });
});
