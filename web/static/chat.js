// The chat page with JavaScript: asks without a reload and opens sources beside the conversation. What an answer and a
// source look like is rendered by the server (POST /ask, GET /panel/…), the same as on the page without JavaScript.

const byId = (id) => document.getElementById(id);
const [log, form, box, send, lang, panel, panelBody] = ["log", "composer", "q", "send", "lang", "panel", "panel-body"].map(byId);
const narrow = matchMedia("(max-width: 900px)");

box.removeAttribute("maxlength"); // it would cut a long paste without a word; the server says what is wrong
document.documentElement.classList.add("js");

// --- asking

// The same rule as recent_turns in web/render.py.
function recentTurns() {
  const kept = [];
  let room = Number(form.dataset.maxChars);
  const asked = [...log.querySelectorAll("[data-asked]")].map((turn) => turn.dataset.asked);
  for (const turn of asked.slice(-Number(form.dataset.maxTurns)).reverse()) {
    room -= [...turn].length;
    if (room < 0) break;
    kept.unshift(turn);
  }
  return kept;
}

function address(question, turns) {
  const fields = new URLSearchParams([["q", question], ...turns.map((turn) => ["turn", turn])]);
  if (lang.value !== "auto") fields.append("lang", lang.value);
  return "/?" + fields;
}

function cloneOf(id) {
  return byId(id).content.firstElementChild.cloneNode(true);
}

// Our own server's markup, every value escaped there; scripts in a parsed document never run.
function parsed(html) {
  const children = new DOMParser().parseFromString(html, "text/html").body.children;
  return [...children].map((child) => document.adoptNode(child));
}

// {message, hint} as our server words it; an empty object if it isn't our server that answers.
async function problemIn(reply) {
  try {
    return (await reply.json()).error ?? {};
  } catch {
    return {};
  }
}

function failure(problem) {
  const card = cloneOf("failed");
  if (problem.message) {
    card.querySelector("[data-message]").textContent = problem.message;
    card.querySelector("[data-hint]").textContent = problem.hint ?? "";
  }
  return card;
}

async function ask(question) {
  if (send.disabled) return;
  send.disabled = true;
  byId("hero").hidden = true;
  byId("restart").hidden = false;
  log.querySelectorAll(".turn.pending").forEach((turn) => turn.remove()); // one that failed
  const turns = recentTurns();
  const turn = cloneOf("pending");
  turn.querySelector("[data-question]").textContent = question;
  log.append(turn);
  turn.scrollIntoView({ block: "start" });
  try {
    const history = turns.map((earlier) => ({ question: earlier }));
    const reply = await fetch("/ask", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ question, history, lang: lang.value }),
    });
    if (reply.ok) {
      const [answered] = parsed(await reply.text());
      turn.replaceWith(answered);
      answered.scrollIntoView({ block: "start" });
      window.history.replaceState(null, "", address(question, turns));
      document.title = `${question.slice(0, 60)} – ${form.dataset.brand}`;
    } else {
      fail(turn, question, await problemIn(reply));
    }
  } catch {
    fail(turn, question, {});
  } finally {
    send.disabled = false;
  }
}

function fail(turn, question, problem) {
  const card = failure(problem);
  card.querySelector("[data-retry]").addEventListener("click", () => {
    if (box.value === question) box.value = "";
    ask(question);
  });
  turn.querySelector("article").replaceWith(card);
  turn.scrollIntoView({ block: "start" });
  if (!box.value) box.value = question; // nothing that was typed is lost
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const question = box.value.trim();
  if (!question || send.disabled) return;
  box.value = "";
  ask(question);
});

box.addEventListener("keydown", (event) => {
  // Enter also picks a word in a Chinese input method; Safari then says 229 instead of isComposing.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  form.requestSubmit();
});

// --- links: examples, and marks that open the source beside the conversation

let opener = null;

async function openPanel(link) {
  opener = link;
  const wanted = link.dataset.panel;
  panelBody.dataset.shown = wanted;
  panelBody.replaceChildren();
  if (!panel.open) narrow.matches ? panel.showModal() : panel.show();
  document.body.classList.add("with-panel");
  link.scrollIntoView({ block: "nearest" }); // the conversation has become narrower
  let content;
  try {
    const reply = await fetch(wanted);
    content = reply.ok ? parsed(await reply.text()) : [failure(await problemIn(reply))];
  } catch {
    content = [failure({})];
  }
  if (panelBody.dataset.shown !== wanted) return; // another mark was clicked meanwhile
  panelBody.replaceChildren(...content);
  panelBody.querySelector("[data-retry]")?.addEventListener("click", () => openPanel(link));
  panelBody.querySelector(".panel-title")?.focus({ preventScroll: true });
  const cited = panelBody.querySelector("#cited");
  panelBody.scrollTop = cited ? cited.offsetTop - panelBody.clientHeight / 3 : 0;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  if (link.dataset.panel) {
    event.preventDefault();
    openPanel(link);
  } else if (link.dataset.example) {
    event.preventDefault();
    ask(link.dataset.example);
    box.focus({ preventScroll: true });
  }
});

byId("panel-close").addEventListener("click", () => panel.close());
panel.addEventListener("click", (event) => {
  if (event.target === panel) panel.close(); // the backdrop of the bottom sheet
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && panel.open) panel.close();
});
panel.addEventListener("close", () => {
  document.body.classList.remove("with-panel");
  delete panelBody.dataset.shown;
  opener?.focus({ preventScroll: true });
});
