// The chat page with JavaScript: an answer as it comes, sources beside the conversation. What an answer and a source
// look like is rendered by the server (POST /ask, GET /panel/…), the same as on the page without JavaScript.

import { actOn } from "./actions.js";
import { remember, openHistory } from "./history.js";
import { byId, cloneOf, parsed, problemIn, words } from "./page.js";
import { openPanel } from "./panel.js";
import { eventsOf } from "./stream.js";

const [log, form, box, send, stop, lang] = ["log", "composer", "q", "send", "stop", "lang"].map(byId);
const SLOW_MS = 8000; // without a word from the server, that is said
const DRAFT = "yuntu.draft";

document.documentElement.classList.add("js");
box.removeAttribute("maxlength"); // it would cut a long paste without a word; the server says what is wrong
byId("history-open").hidden = false;
if (!box.value) box.value = stored(DRAFT); // after a reload, a crash or the back button

function draft(text) {
  try {
    sessionStorage.setItem(DRAFT, text);
  } catch {
    // no storage: nothing is remembered
  }
}

function stored(key) {
  try {
    return sessionStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

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

// The address becomes that of the answer; the way back leads to the one before, and the language links stay with it.
function arrived(address) {
  window.history.pushState(null, "", address);
  for (const link of document.querySelectorAll(".languages a")) {
    const url = new URL(address, location.href);
    url.searchParams.set("lang", link.hreflang);
    link.href = url;
  }
}

addEventListener("popstate", () => location.reload());

// Whoever goes back twice in a hurry may do so before the line above is there: the address is then another answer's.
const flat = (text) => (text ?? "").replace(/\s+/g, " ").trim();
const asked = new URLSearchParams(location.search).get("q");
if (flat(asked) !== flat(log.querySelector(".turn")?.dataset.asked) && !window.history.state?.again) {
  window.history.replaceState({ again: true }, ""); // once: what the page cannot show alike must not load for ever
  location.reload();
}

let asking = null; // what stops the question that is being answered

function busy(controller) {
  asking = controller;
  send.hidden = controller !== null;
  stop.hidden = controller === null;
  log.setAttribute("aria-busy", String(controller !== null));
}

async function ask(question, turns = recentTurns()) {
  if (asking) return;
  const controller = new AbortController();
  busy(controller);
  byId("hero").hidden = true;
  byId("restart").hidden = false;
  log.querySelectorAll(".turn.pending").forEach((turn) => turn.remove()); // one that failed
  const turn = cloneOf("pending");
  turn.querySelector("[data-question]").textContent = question;
  log.append(turn);
  turn.scrollIntoView({ block: "start" });
  const slow = turn.querySelector("[data-slow]");
  const waiting = setTimeout(() => (slow.hidden = false), SLOW_MS);
  try {
    const reply = await fetch("/ask", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ question, history: turns.map((earlier) => ({ question: earlier })), lang: lang.value }),
      signal: controller.signal,
    });
    if (!reply.ok) return fail(turn, question, turns, await problemIn(reply));
    let answered = null;
    for await (const { event, data } of eventsOf(reply)) {
      clearTimeout(waiting);
      slow.hidden = true;
      if (event === "stage") showStage(turn, question, data);
      else if (event === "sentence") showSentence(turn, data);
      else if (event === "error") return fail(turn, question, turns, data.error);
      else if (event === "turn") {
        [answered] = parsed(data);
        turn.replaceWith(answered);
        answered.scrollIntoView({ block: "start" });
        draft(box.value); // answered: what is in the box now is the next question
        arrived(address(question, turns));
        document.title = `${question.slice(0, 60)} – ${form.dataset.brand}`;
        remember({ question, turns, lang: lang.value, version: answered.dataset.version });
        busy(null); // the next question need not wait for what comes after
      } else if (event === "more") answered?.querySelector("article").append(...parsed(data));
    }
    if (!answered) fail(turn, question, turns, { message: words.cut_off, hint: words.offline_hint });
  } catch {
    if (turn.isConnected)
      fail(turn, question, turns, controller.signal.aborted ? { message: words.stopped, hint: words.stopped_hint } : {});
  } finally {
    clearTimeout(waiting);
    if (asking === controller) busy(null);
  }
}

function showStage(turn, question, { stage, question: understood }) {
  for (const item of turn.querySelectorAll("[data-stage]")) {
    if (item.dataset.stage === stage) item.setAttribute("aria-current", "step");
    else item.removeAttribute("aria-current");
  }
  if (understood && understood !== question) {
    turn.querySelector("[data-understood]").textContent = understood;
    turn.querySelector(".understood").hidden = false;
  }
}

/** A sentence that a language model wrote and the evidence bears out; the whole answer takes its place. */
function showSentence(turn, { text }) {
  const written = turn.querySelector("[data-written]");
  written.textContent += text;
  written.hidden = false;
}

function failure(problem) {
  const card = cloneOf("failed");
  if (problem?.message) {
    card.querySelector("[data-message]").textContent = problem.message;
    card.querySelector("[data-hint]").textContent = problem.hint ?? "";
  }
  return card;
}

function fail(turn, question, turns, problem) {
  const card = failure(problem);
  card.querySelector("[data-retry]").addEventListener("click", () => {
    if (box.value === question) type("");
    ask(question, turns);
  });
  turn.querySelector("article").replaceWith(card);
  card.scrollIntoView({ block: "nearest" }); // the question above it may be long
  if (!box.value) type(question); // nothing that was typed is lost
}

function type(text) {
  box.value = text;
  draft(text);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const question = box.value.trim();
  if (!question || asking) return;
  box.value = ""; // the draft stays until it is answered
  ask(question);
});

stop.addEventListener("click", () => {
  asking?.abort();
  box.focus();
});
box.addEventListener("input", () => draft(box.value));
box.addEventListener("keydown", (event) => {
  // Enter also picks a word in a Chinese input method; Safari then says 229 instead of isComposing.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  form.requestSubmit();
});

function askedBefore(turn) {
  const all = [...log.querySelectorAll("[data-asked]")];
  const before = all.slice(0, all.indexOf(turn)).map((earlier) => earlier.dataset.asked);
  return before.slice(-Number(form.dataset.maxTurns));
}

// --- links and buttons: examples, marks that open the source beside the conversation, what one does with an answer

document.addEventListener("click", (event) => {
  const found = event.target.closest("a, button");
  if (!found || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const turn = found.closest(".turn");
  if (found.dataset.panel) {
    event.preventDefault();
    openPanel(found, failure);
  } else if (found.dataset.example) {
    event.preventDefault();
    ask(found.dataset.example, turn?.querySelector(".refused") ? [] : recentTurns());
    box.focus({ preventScroll: true });
  } else if (found.dataset.again !== undefined) {
    ask(turn.dataset.asked, askedBefore(turn));
  } else if (turn) actOn(event, found, turn, { turns: askedBefore(turn), lang: lang.value });
});

byId("history-open").addEventListener("click", openHistory);
if (log.querySelector(".turn")) {
  const turn = log.querySelector(".turn");
  const turns = [...log.querySelectorAll(".earlier [data-asked]")].map((item) => item.dataset.asked);
  remember({ question: turn.dataset.asked, turns, lang: lang.value, version: turn.dataset.version });
}
