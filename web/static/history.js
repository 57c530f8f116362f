// What was asked in this browser, kept in this browser alone: links that lead to each answer again.

import { byId, words } from "./page.js";

const KEY = "yuntu.history";
const MOST = 100;
const dialog = byId("history");

function stored() {
  try {
    const rows = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(rows) ? rows : [];
  } catch {
    return [];
  }
}

// The latest first; the same question asked again moves up.
export function remember({ question, turns, lang, version }) {
  const row = { question, turns, lang, version, at: new Date().toISOString() };
  const same = (other) => other.question === question && JSON.stringify(other.turns) === JSON.stringify(turns);
  try {
    localStorage.setItem(KEY, JSON.stringify([row, ...stored().filter((other) => !same(other))].slice(0, MOST)));
  } catch {
    // storage is full or switched off: the conversation goes on without it
  }
}

export function openHistory() {
  const rows = stored().filter((row) => typeof row.question === "string");
  byId("history-list").replaceChildren(...(rows.length ? rows.map(item) : [words.history_none]));
  byId("history-clear").hidden = !rows.length;
  dialog.showModal();
}

function item({ question, turns = [], lang, version, at }) {
  const fields = new URLSearchParams([["q", question], ...turns.map((turn) => ["turn", turn])]);
  if (lang && lang !== "auto") fields.append("lang", lang);
  if (version) fields.append("v", version);
  const link = document.createElement("a");
  link.href = `/?${fields}`;
  link.dir = "auto";
  link.textContent = question;
  const when = document.createElement("time");
  when.dateTime = at;
  when.textContent = new Date(at).toLocaleString(document.documentElement.lang);
  const row = document.createElement("li");
  row.append(link, " ", when);
  return row;
}

byId("history-close").addEventListener("click", () => dialog.close());
byId("history-clear").addEventListener("click", () => {
  localStorage.removeItem(KEY);
  openHistoryAgain();
});

function openHistoryAgain() {
  dialog.close();
  openHistory();
}
