// SPDX-License-Identifier: MIT OR Apache-2.0
// Sends the requests that the page describes and shows the answers as they came.
"use strict";

/** The head of an answer as text: status line first, then the fields. */
function headOf(answer) {
  const fields = [...answer.headers].map(([name, value]) => `${name}: ${value}`);
  return [`${answer.status} ${answer.statusText}`, ...fields].join("\n");
}

/** `Name: value` as an object; `{field}` in the value stands for that field of a fresh HEAD answer. */
async function fieldsOf(line, path) {
  if (!line) return {};
  const colon = line.indexOf(":");
  let value = line.slice(colon + 1).trim();
  const wanted = /^\{(.+)\}$/.exec(value);
  if (wanted) {
    const answer = await fetch(path, { method: "HEAD", cache: "no-store" });
    await answer.text(); // a body that is never read counts as broken off, an empty one too
    value = answer.headers.get(wanted[1]) ?? "";
  }
  return { [line.slice(0, colon)]: value };
}

async function send(experiment) {
  const { method, path, headers, bodyBytes } = experiment.dataset;
  const fields = await fieldsOf(headers, path);
  const body = bodyBytes ? "x".repeat(Number(bodyBytes)) : undefined;
  const asked = [`${method} ${path}`, ...Object.entries(fields).map(([name, value]) => `${name}: ${value}`)];
  let told;
  try {
    const answer = await fetch(path, { method, headers: fields, body, cache: "no-store" });
    const text = await answer.text();
    told = headOf(answer) + (text && text.length <= 400 ? `\n\n${text.trimEnd()}` : "");
  } catch (error) {
    told = `No answer: ${error.message}`;
  }
  const shown = document.createElement("pre");
  shown.textContent = `${asked.join("\n")}\n\n${told}`;
  experiment.querySelector("output").replaceChildren(shown);
}

for (const experiment of document.querySelectorAll(".experiment")) {
  const button = experiment.querySelector("button");
  button.hidden = false;
  button.addEventListener("click", () => send(experiment));
  if ("auto" in experiment.dataset) send(experiment);
}

const reader = document.querySelector(".reader");
const part = document.querySelector(".part");
let latest = 0;

async function read() {
  const from = Number(reader.elements.from.value);
  const bytes = Math.max(1, Number(reader.elements.bytes.value) || 1);
  const range = `bytes=${from}-${from + bytes - 1}`;
  const turn = ++latest;
  let told;
  try {
    const answer = await fetch("/files/primes.txt", { headers: { Range: range }, cache: "no-store" });
    const text = await answer.text();
    told = `Range: ${range}\n\n${answer.status} ${answer.statusText}\n` +
      `content-range: ${answer.headers.get("content-range")}\ncontent-length: ${answer.headers.get("content-length")}\n\n${text}`;
  } catch (error) {
    told = `No answer: ${error.message}`;
  }
  // Answers to moves that are past already are not shown.
  if (turn === latest) part.firstChild.textContent = told;
}

reader.hidden = part.hidden = false;
reader.addEventListener("input", read);
reader.addEventListener("submit", (event) => event.preventDefault());
read();
