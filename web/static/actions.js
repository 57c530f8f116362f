// What one does with an answer: copy it, quote a line of it, share it, say whether it is right.

import { cloneOf, problemIn, words } from "./page.js";

export function actOn(event, button, turn, { turns, lang }) {
  const data = button.dataset;
  if (data.copy !== undefined) copy(button.parentElement.querySelector("[data-copied]"), turn, words.copied);
  else if (data.copyFrom) copy(turn.querySelector(data.copyFrom), turn, words.copied);
  else if (data.share !== undefined) {
    event.preventDefault();
    copy(button, turn, words.shared, button.href);
  } else if (data.verdict) judge(button, turn, turns, lang);
}

// Tells the reader of the page in the turn's own line.
function say(turn, text) {
  turn.querySelector(".said").textContent = text;
}

async function copy(source, turn, done, text = source.content?.textContent ?? source.textContent) {
  turn.querySelector(".by-hand")?.remove();
  try {
    await navigator.clipboard.writeText(text);
    say(turn, done);
  } catch {
    const shown = document.createElement("textarea"); // no clipboard here: over plain http, or not allowed
    Object.assign(shown, { className: "by-hand", readOnly: true, value: text, rows: 3, ariaLabel: words.copy_failed });
    turn.querySelector(".actions").after(shown);
    shown.select();
    say(turn, words.copy_failed);
  }
}

function judge(button, turn, turns, lang) {
  const old = turn.querySelector("form.note");
  old?.remove();
  turn.querySelectorAll("[data-verdict]").forEach((b) => b.setAttribute("aria-pressed", String(b === button)));
  const form = cloneOf("note");
  const verdict = button.dataset.verdict;
  const keep = (note) => give(turn, form, { verdict, note, turns, lang });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    keep(form.elements.note.value);
  });
  form.querySelector("[data-skip]").addEventListener("click", () => keep(""));
  turn.querySelector(".actions").after(form);
  form.elements.note.focus();
}

async function give(turn, form, { verdict, note, turns, lang }) {
  const history = turns.map((earlier) => ({ question: earlier }));
  const body = { verdict, note, question: turn.dataset.asked, history, lang, index_version: turn.dataset.version };
  try {
    const reply = await fetch("/api/feedback", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!reply.ok) throw new Error((await problemIn(reply)).message ?? words.offline);
    form.remove();
    say(turn, words.thanks);
    turn.querySelector(`[data-verdict=${verdict}]`).focus();
  } catch (error) {
    say(turn, error instanceof TypeError ? words.offline : error.message); // the note stays in the form
  }
}
